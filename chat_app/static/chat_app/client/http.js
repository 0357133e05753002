/** One request to the API, and what went wrong with it. */

/**
 * What a caller can act on. `code` is the API's own (`rate_limited`, `session_expired`, …) or one of
 * `offline`, `network` (worth trying again) and `cors` (the API does not know this website).
 */
export class Problem extends Error {
  constructor(code, { status = 0, detail = '', errors = [], retryAfter = 0 } = {}) {
    super(detail || code);
    Object.assign(this, { name: 'Problem', code, status, errors, retryAfter });
  }
}

/** Fetches `path`; returns the response, or throws a Problem. */
export async function call(api, path, { token, body, headers, ...init } = {}) {
  const sent = { Accept: 'application/json', ...headers };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (body) sent['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(api + path, {
      credentials: 'omit', headers: sent, body: body && JSON.stringify(body), ...init,
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(await reason(api), { detail: String(error) });
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Problem(said.code || (response.status < 500 ? 'invalid_input' : 'unavailable'), {
    ...said, status: response.status, retryAfter: Number(response.headers.get('Retry-After')) || 0,
  });
}

/** Browsers hide why a request failed, so: what anyone may load tells what only CORS forbids. */
async function reason(api) {
  if (!navigator.onLine) return 'offline';
  if (new URL(api).origin === location.origin || await reaches(`${api}/health/live`)) return 'network';
  if (!await reaches(`${api}/client.js`)) return 'network';
  console.error(`Chatsite refuses this website. At ${api} set CORS_ALLOWED_ORIGINS=${location.origin} and restart.`);
  return 'cors';
}

const reaches = (url) => fetch(url, { credentials: 'omit', cache: 'no-store' })
  .then((response) => response.ok, () => false);
