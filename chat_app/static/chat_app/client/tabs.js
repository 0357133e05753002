/** The tabs of one website: one of them leads and reads the stream, the others are told. */

/**
 * Joins the tabs called `name`. `lead(signal)` runs while this tab leads, `hear(message)` for what
 * others tell. Where the browser has no locks (a page without TLS) every tab leads for itself.
 */
export function joinTabs(name, { lead, hear }) {
  const { signal, ...ending } = withAbort();
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => hear(event.data);
  const turn = () => (signal.aborted ? null : lead(signal));
  const led = navigator.locks ? navigator.locks.request(name, { signal }, turn) : turn();
  Promise.resolve(led).catch(() => {}); // aborted while it waited for its turn
  return {
    tell: (message) => signal.aborted || channel.postMessage(message),
    leave() {
      ending.abort();
      channel.close();
    },
  };
}

function withAbort() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
