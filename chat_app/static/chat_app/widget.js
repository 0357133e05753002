/**
 * Chat on any website with one line:
 *   <script type="module" src="https://chat.example.com/widget.js"></script>
 * Attributes, methods, events, colours and CSP: docs/widget.md.
 */
import { ChatClient } from './client.js';
import { Panel } from './widget/panel.js';
import { sheet } from './widget/style.js';
import { english } from './widget/texts.js';

const HOME = new URL('.', import.meta.url).href;
const OWN = new Set(['en', 'de']);
const RIGHT_TO_LEFT = /^(ar|dv|fa|he|ps|sd|ug|ur|yi)\b/;
/** Texts that the page brought, by language. */
const brought = {};

class ChatsiteWidget extends HTMLElement {
  #panel;
  #ready;

  /** The client underneath; see client.d.ts. */
  client;

  connectedCallback() {
    this.#ready ??= this.#build();
    const accent = this.getAttribute('accent');
    if (accent) this.style.setProperty('--chatsite-accent', accent);
  }

  async open() {
    await this.#ready;
    this.#panel?.open();
  }

  close() { this.#panel?.close(); }

  /** Sends a message as if the visitor had typed it; before sign-in it waits for that. */
  async send(text) {
    await this.open();
    return this.client.send(text);
  }

  /** Signs in without the form, where the website knows and has asked its visitor. */
  async identify({ email }) {
    await this.#ready;
    return this.client.session && this.client.email === email ? 'signed_in' : this.client.signIn(email);
  }

  /** Ends the conversation and forgets it in this browser. */
  async reset() {
    await this.#ready;
    await this.client.reset();
  }

  /** Calls `listener(detail)` on an event; returns what ends that. */
  on(name, listener) {
    const own = ({ detail }) => listener(detail);
    this.addEventListener(`chatsite:${name}`, own);
    return () => this.removeEventListener(`chatsite:${name}`, own);
  }

  async #build() {
    const lang = this.lang || document.documentElement.lang || navigator.language;
    const texts = await wording(lang);
    const say = (name, values = {}) => (texts[name] ?? english[name]).replace(/\{(\w+)\}/g, (_, key) => values[key]);
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    this.client = new ChatClient({ api: this.getAttribute('api') || HOME });
    this.#panel = new Panel(this.client, {
      say, lang, option: (name) => this.getAttribute(name), tell: (name, detail) => this.#tell(name, detail),
    });
    this.#panel.element.dir = this.dir || (RIGHT_TO_LEFT.test(lang) ? 'rtl' : 'ltr');
    this.#panel.element.lang = lang;
    root.append(this.#panel.element);
    this.client.start();
    this.#remember();
    this.#tell('ready');
  }

  /** Opens again where it was open on the page before, without taking the focus. */
  #remember() {
    const name = `chatsite:${this.client.api}:open`;
    try {
      if (sessionStorage.getItem(name)) this.#panel.open({ isQuiet: true });
      this.on('open', () => sessionStorage.setItem(name, 1));
      this.on('close', () => sessionStorage.removeItem(name));
    } catch {} // no storage: it starts closed
    if (this.hasAttribute('open')) this.#panel.open({ isQuiet: true });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(`chatsite:${name}`, { detail, bubbles: true, composed: true }));
  }
}

async function wording(lang) {
  const short = lang.toLowerCase().split('-')[0];
  const shipped = short !== 'en' && OWN.has(short) && (await import(`./widget/texts.${short}.js`)).default;
  return { ...english, ...shipped, ...brought[short] };
}

// --- the page's way in -------------------------------------------------------------------------

let element;
const listeners = [];

/** Makes the widget, or gives the one there is; `options` are its attributes, and `texts`. */
function boot({ texts, ...options } = {}) {
  Object.assign(brought, texts);
  element ??= document.querySelector('chatsite-widget') ?? document.createElement('chatsite-widget');
  for (const [name, value] of Object.entries(options)) element.setAttribute(name, value);
  for (const args of listeners.splice(0)) element.on(...args);
  attach();
  return element;
}

/** Client-side routers may replace the body: the widget moves on to the new one. */
function attach() {
  if (element.isConnected) return;
  document.body.append(element);
}

function start(script) {
  const asked = window.chatsite;
  const api = { boot, get element() { return element; } };
  for (const name of ['open', 'close', 'send', 'identify', 'reset', 'on']) {
    api[name] = (...args) => boot()[name](...args);
  }
  api.push = ([name, ...args]) => api[name](...args);
  window.chatsite = api;
  customElements.define('chatsite-widget', ChatsiteWidget);
  if (!script || !('manual' in script.dataset)) boot({ ...script?.dataset });
  new MutationObserver(() => element && attach()).observe(document.documentElement, { childList: true, subtree: true });
  if (Array.isArray(asked)) asked.forEach(api.push);
}

// A second copy, from another address or version, leaves the first alone.
if (!customElements.get('chatsite-widget')) {
  const here = import.meta.url.split(/[?#]/)[0];
  const script = [...document.scripts].find(({ src }) => src.split(/[?#]/)[0] === here);
  if (document.body) start(script);
  else addEventListener('DOMContentLoaded', () => start(script));
}
