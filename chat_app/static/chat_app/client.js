/**
 * A visitor's conversation over Chatsite's API, without any interface: what the widget is built on.
 * See docs/widget.md and client.d.ts.
 */
import { readEvents } from './client/events.js';
import { Problem, call } from './client/http.js';
import { Store } from './client/store.js';
import { joinTabs } from './client/tabs.js';
import { Transcript } from './client/transcript.js';

export { Problem };

const PAGE = 30;
const POST_MS = 20_000;
const SILENT_MS = 40_000; // the API pings every 15 s
const STALE_MS = 20_000;
const LONGEST_PAUSE_MS = 30_000;
const PASSING = new Set(['offline', 'network', 'unavailable']);
const MAKING = new Set(['queued', 'running']);

const pause = (ms, signal) => new Promise((resolve) => {
  setTimeout(resolve, ms);
  signal?.addEventListener('abort', resolve);
});
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join('');

export class ChatClient extends EventTarget {
  #api;
  #store;
  #transcript = new Transcript();
  #tabs;
  #running; // an AbortController while signed in
  #stream; // another while a stream is open
  #heardAt = 0;
  #posting = false;
  #hasEarlier = false;
  #before;

  /** `ai` or `human`: who answers. */
  responder = 'ai';

  /** `idle` (not signed in), `connecting`, `open` or `offline`. */
  connection = 'idle';

  /** When the next message may be sent, in milliseconds since 1970, after a 429. */
  waitUntil = 0;

  /** Messages that this session may still send, once known. */
  remaining;

  /** Who is writing just now, besides the assistant: `staff` or null. */
  typing = null;

  constructor({ api = new URL(import.meta.url).origin } = {}) {
    super();
    this.#api = api.replace(/\/+$/, '');
    this.#store = new Store(`chatsite:${this.#api}:`);
    this.#store.watch((name) => this.#changedElsewhere(name));
    addEventListener('online', () => this.#wake(0));
    addEventListener('offline', () => {
      this.#connect('offline');
      this.#stream?.abort(); // what is under way would say `open` when it ends
    });
    document.addEventListener('visibilitychange', () => document.hidden || this.#wake(STALE_MS));
    // A page in the back-forward cache must hold neither the lock nor the stream.
    addEventListener('pagehide', () => this.#leave());
    addEventListener('pageshow', ({ persisted }) => persisted && this.start());
  }

  // --- what is known ---------------------------------------------------------------------------

  /** Where the API is. */
  get api() { return this.#api; }

  /** All messages in order; unsent ones last. */
  get messages() { return this.#transcript.messages; }

  /** The session, or null before sign-in. */
  get session() { return this.#store.get('session'); }

  /** The address last used, to fill the form in. */
  get email() { return this.#store.get('email', ''); }

  /** The answer being made, if one is. */
  get running() {
    return this.messages.find(({ status }) => MAKING.has(status));
  }

  get hasEarlier() { return this.#hasEarlier; }

  /** How many messages came since `seen()`. */
  get unread() {
    const told = this.#told();
    return told.length - 1 - told.findIndex(({ id }) => id === this.#store.get('seen'));
  }

  get draft() { return this.#store.get('draft', ''); }

  set draft(text) { this.#store.set('draft', text || null); }

  /** What the installation says of itself: consent, retention, privacy, lengths. */
  preferences() {
    return call(this.#api, '/widget.json').then((found) => found.json(), () => ({}));
  }

  /** Calls `listener(detail)` on `name`; returns what ends that. */
  on(name, listener) {
    const own = ({ detail }) => listener(detail);
    this.addEventListener(name, own);
    return () => this.removeEventListener(name, own);
  }

  // --- the session -----------------------------------------------------------------------------

  /** Signs in; `code_sent` where the API wants the address proven, else `signed_in`. */
  async signIn(email) {
    this.#store.set('email', email);
    return this.#opened(await call(this.#api, '/auth/email', { method: 'POST', body: { email } }));
  }

  /** Proves the address with the code that was sent to it. */
  async verify(email, code) {
    return this.#opened(await call(this.#api, '/auth/email/verify', { method: 'POST', body: { email, code } }));
  }

  /** Ends the session on the server and forgets it here, unsent messages included. */
  async reset() {
    const token = this.session?.token;
    for (const name of ['outbox', 'draft', 'email', 'seen']) this.#store.set(name, null);
    this.#forget('reset');
    if (token) await call(this.#api, '/auth/session', { method: 'DELETE', token }).catch(() => {});
  }

  /** Takes up the session kept in this browser, if there is one. */
  start() {
    for (const { key, text, at } of this.#store.get('outbox', [])) {
      if (!this.#transcript.find(key)) this.#transcript.add(key, text, at);
    }
    if (!this.session || this.#running) return;
    this.#running = new AbortController();
    const { signal } = this.#running;
    this.#connect(navigator.onLine ? 'connecting' : 'offline');
    const loaded = this.#persist(signal, async () => {
      await this.#load();
      return true;
    });
    this.#tabs = joinTabs(`chatsite:${this.#api}`, {
      hear: (message) => this.#hear(message),
      lead: async (turn) => {
        await loaded;
        await this.#persist(turn, () => this.#follow(turn));
      },
    });
    loaded.then(() => {
      this.#tabs?.tell({ hello: true });
      this.#flush();
    });
  }

  // --- messages --------------------------------------------------------------------------------

  /** Sends a message: it is shown at once, kept until the API has it, and posted once. */
  send(text) {
    const entry = { key: newKey(), text, at: Date.now() };
    this.#transcript.add(entry.key, text, entry.at);
    this.#store.set('outbox', [...this.#store.get('outbox', []), entry]);
    this.#changed();
    this.#flush();
    return entry.key;
  }

  /** Tries a message that failed again. */
  retry(key) {
    this.#again(({ key: own }) => own === key);
  }

  /** Forgets a message that failed. */
  discard(key) {
    this.#delivered(key);
    this.#transcript.drop(key);
    this.#changed();
  }

  /** Stops the model; what it has written stays. */
  async stop(answer = this.running?.id) {
    if (!answer) return;
    const found = await this.#ask(`/chat/answers/${answer}/stop`, { method: 'POST' });
    const { text: response, html: response_html, status } = await found.json();
    if (MAKING.has(status)) return; // the stream will tell
    this.#transcript.finish({ answer_id: answer, response, response_html, status });
    this.#changed();
  }

  /** Loads the page of the history before what is known. */
  async earlier() {
    if (!this.#hasEarlier) return;
    this.#hasEarlier = false;
    await this.#page(`&before=${this.#before}`);
    this.#changed();
  }

  /** Everything up to now was seen. */
  seen() {
    const last = this.#told().at(-1);
    if (!last || last.id === this.#store.get('seen')) return;
    this.#store.set('seen', last.id);
    this.#changed();
  }

  // --- inside ----------------------------------------------------------------------------------

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #changed() { this.#emit('change'); }

  /** What others said and will not change. */
  #told() {
    return this.messages.filter(({ from, notice, status }) => from !== 'visitor' && !notice && !MAKING.has(status));
  }

  async #opened(response) {
    const { access_token: token, ...session } = await response.json();
    if (!token) return 'code_sent';
    this.#store.set('session', { token, ...session });
    this.#begin();
    return 'signed_in';
  }

  #begin() {
    this.#leave();
    this.#transcript = new Transcript();
    this.responder = 'ai';
    this.start();
    this.#emit('session', { state: 'open' });
    this.#changed();
  }

  /** `state`: `reset` by the visitor, or `session_expired`, `session_closed`, `invalid_token`. */
  #forget(state) {
    this.#store.set('session', null);
    this.#leave();
    this.#connect('idle');
    this.#transcript = new Transcript();
    this.waitUntil = 0;
    this.start(); // what was not sent is shown, and waits for the next session
    this.#emit('session', { state });
    this.#changed();
  }

  #close() {
    if (this.#running) this.#transcript.note('closed');
    this.#leave();
    this.#connect('idle');
  }

  #leave() {
    this.#running?.abort();
    this.#stream?.abort();
    this.#tabs?.leave();
    this.#running = this.#tabs = undefined;
  }

  #changedElsewhere(name) {
    if (name === 'session') {
      if (this.session) this.#begin();
      else this.#forget('reset');
    }
    this.#changed();
  }

  #connect(state) {
    if (state !== 'idle' && !this.session) return;
    if (this.connection === state) return;
    this.connection = state;
    this.#emit('connection', state);
    this.#changed();
  }

  /** A request with the session's token; a 401 ends the session here, unless it was another's. */
  async #ask(path, init) {
    const token = this.session?.token;
    try {
      return await call(this.#api, path, { token, ...init });
    } catch (problem) {
      if (problem.status === 401 && token === this.session?.token) {
        // What staff closed as settled is opened again by the visitor's next message.
        if (problem.code === 'session_closed' && path !== '/chat') this.#close();
        else this.#forget(problem.code);
      }
      throw problem;
    }
  }

  async #load() {
    const [session] = await Promise.all([this.#ask('/auth/session'), this.#page('')]);
    const { responder, messages_remaining: remaining } = await session.json();
    Object.assign(this, { responder, remaining });
    this.#connect('open');
    this.#emit('ready');
    this.#changed();
  }

  async #page(cursor) {
    const transcript = this.#transcript;
    const found = await (await this.#ask(`/chat/history?limit=${PAGE}${cursor}`)).json();
    transcript.load(found);
    this.#hasEarlier = found.has_more;
    this.#before = found.before;
    if (!cursor) transcript.cursor = Math.max(transcript.cursor, Number(found.after));
    const stored = new Set(found.messages.map((row) => row.idempotency_key));
    this.#keep(({ key }) => !stored.has(key));
  }

  /** Repeats `act` until it says true or `signal` ends it, with growing pauses while it fails. */
  async #persist(signal, act) {
    for (let failures = 0; !signal.aborted;) {
      const began = Date.now();
      try {
        if (await act()) return;
        failures = 0; // a stream that ended by itself
      } catch (problem) {
        if (signal.aborted) return;
        failures = Date.now() - began > STALE_MS ? 1 : failures + 1;
        this.#connect(navigator.onLine && failures < 3 ? 'connecting' : 'offline');
        this.#retryAfter = (problem.retryAfter || 0) * 1000;
      }
      const wait = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
      this.#sleep = new AbortController();
      if (!signal.aborted) await pause(Math.max(wait, this.#retryAfter), AbortSignal.any([signal, this.#sleep.signal]));
      this.#retryAfter = 0;
    }
  }

  #retryAfter = 0;
  #sleep; // an AbortController that ends a pause early

  /** Reads one stream to its end. */
  async #follow(turn) {
    this.#stream = new AbortController();
    const signal = AbortSignal.any([turn, this.#stream.signal]);
    const guard = setInterval(() => this.#wake(SILENT_MS), 5000);
    this.#heardAt = Date.now();
    try {
      const { body } = await this.#ask(`/chat/events?after=${this.#transcript.cursor}`, {
        headers: { Accept: 'text/event-stream' }, signal,
      });
      this.#connect('open');
      this.#transcript.interrupted();
      this.#again(({ problem }) => PASSING.has(problem?.code));
      for await (const event of readEvents(body, () => { this.#heardAt = Date.now(); })) {
        this.#tabs?.tell({ event, had: this.#length(event.data.answer_id) });
        this.#receive(event);
      }
    } catch (problem) {
      if (turn.aborted || !this.#stream.signal.aborted) throw problem; // else `#wake` ended it
    } finally {
      clearInterval(guard);
      this.#stream.abort();
    }
  }

  /** Reads anew where nothing was heard for so long: after sleep, or on another network. */
  #wake(ms) {
    this.#sleep?.abort();
    if (Date.now() - this.#heardAt >= ms) this.#stream?.abort();
    if (this.connection === 'offline') this.#connect(this.#stream ? 'connecting' : 'open');
    this.#again(({ problem }) => PASSING.has(problem?.code));
  }

  #length(answer) {
    const found = answer && this.messages.find(({ id }) => id === answer);
    return found?.isStale ? 0 : found?.text.length ?? 0;
  }

  #hear({ event, had, hello }) {
    if (hello) {
      if (this.#stream) for (const partial of this.#transcript.partials()) this.#tabs?.tell({ event: partial, had: 0 });
    }
    // A piece of a text whose beginning this tab has not: ask for all of it.
    else if (event.name === 'delta' && had !== this.#length(event.data.answer_id)) this.#tabs.tell({ hello: true });
    else this.#receive(event);
  }

  #receive(event) {
    const { name, data } = event;
    const isTold = this.#transcript.apply(event);
    if (name === 'status') this.#status(data);
    if (data.who === 'staff') this.#showTyping(data.who);
    if (data.message_type === 'staff') this.#showTyping(null);
    if (data.idempotency_key) this.#delivered(data.idempotency_key);
    if (isTold) this.#emit('message', this.#told().find(({ id }) => id === (data.answer_id ?? data.id)));
    if (name === 'delta') this.#emit('delta', data);
    this.#changed();
  }

  #status({ responder, is_active: isActive }) {
    if (responder !== this.responder) this.#transcript.note(responder);
    this.responder = responder;
    this.#emit('status', { responder, isActive });
    if (!isActive) this.#close();
  }

  #typingEnds;

  #showTyping(who) {
    clearTimeout(this.#typingEnds);
    this.typing = who;
    if (who) this.#typingEnds = setTimeout(() => { this.typing = null; this.#changed(); }, 9000);
  }

  // --- the outbox ------------------------------------------------------------------------------

  #keep(isKept) {
    const left = this.#store.get('outbox', []).filter(isKept);
    this.#store.set('outbox', left.length ? left : null);
  }

  #delivered(key) { this.#keep((entry) => entry.key !== key); }

  #again(isMeant) {
    for (const entry of this.#transcript.entries) {
      if (entry.status === 'failed' && isMeant(entry)) Object.assign(entry, { status: 'sending', problem: undefined });
    }
    this.#changed();
    this.#flush();
  }

  /** Posts what waits, one after another: the order of writing is the order in the session. */
  async #flush() {
    if (this.#posting || !this.session) return;
    this.#posting = true;
    try {
      for (let entry; (entry = this.#next());) await this.#post(entry);
    } finally {
      this.#posting = false;
    }
  }

  #next() {
    return this.session && this.#transcript.entries.find(({ status }) => status === 'sending');
  }

  async #post(entry) {
    try {
      const response = await this.#ask('/chat', {
        method: 'POST', body: { message: entry.text }, signal: AbortSignal.timeout(POST_MS),
        headers: { Prefer: 'respond-async', 'Idempotency-Key': entry.key },
      });
      this.#transcript.posted(entry.key, await response.json());
      this.#delivered(entry.key);
      if (this.remaining) this.remaining -= 1;
      this.start();
    } catch (problem) {
      this.#failed(entry, problem);
    }
    this.#changed();
  }

  #failed(entry, problem) {
    if (entry.id) return; // the stream told meanwhile that it arrived
    // What hinders this one hinders those behind it, which must not overtake it.
    const hindered = problem.retryAfter || PASSING.has(problem.code);
    for (const one of hindered ? this.#transcript.entries : [entry]) {
      if (one.status === 'sending') Object.assign(one, { status: 'failed', problem });
    }
    if (problem.retryAfter) {
      this.waitUntil = Date.now() + problem.retryAfter * 1000;
      setTimeout(() => this.#again(({ problem: one }) => one === problem), problem.retryAfter * 1000);
    }
  }
}
