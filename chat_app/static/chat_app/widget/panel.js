/** The launcher and the panel: what is shown of the conversation, and how one gets in and out. */
import { Announcer } from './announcer.js';
import { Composer } from './composer.js';
import { button, h, icon, setText } from './dom.js';
import { Door } from './door.js';
import { Messages } from './messages.js';

const PHONE = matchMedia('(max-width: 480px)');

export class Panel {
  #client;
  #say;
  #option;
  #tell;
  #isDrawn = false;
  #stilled = new WeakSet(); // what this panel made inert

  /** `say(name, values)` is a text, `option(name)` an attribute, `tell(name, detail)` an event. */
  constructor(client, { say, option, tell, lang }) {
    Object.assign(this, { isOpen: false });
    this.#client = client;
    this.#say = say;
    this.#option = option;
    this.#tell = tell;
    this.announcer = new Announcer();
    this.messages = new Messages(client, say, lang);
    this.door = new Door(client, say, option);
    this.composer = new Composer(client, say, { suggestions: option('suggestions'), onsend: () => this.messages.toEnd() });
    this.element = this.#build();
    for (const [name, act] of Object.entries({
      change: () => this.draw(),
      session: ({ state }) => this.#sessionChanged(state),
      message: (message) => this.#told(message),
      status: ({ responder }) => this.isOpen && this.announcer.tell(say(responder === 'ai' ? 'handback' : 'human')),
      delta: ({ answer_id: id }) => this.#written(id),
    })) client.on(name, act);
    this.#follow();
    this.door.prepare(option).then(({ max_message_length: most }) => { this.composer.most = most; });
    this.#render();
  }

  open({ isQuiet = false } = {}) {
    if (this.isOpen) return;
    this.#show(true);
    this.messages.toEnd();
    if (!isQuiet) this.focus();
    this.#tell('open');
  }

  close() {
    if (!this.isOpen) return;
    const hadFocus = this.panel.matches(':focus-within');
    this.#show(false);
    if (hadFocus) this.launcher.focus();
    this.#tell('close');
  }

  focus() {
    if (this.#client.session) this.composer.focus();
    else this.door.focus();
  }

  /** Shows the state with the next frame. */
  draw() {
    if (this.#isDrawn) return;
    this.#isDrawn = true;
    // Hidden tabs get no frames, but their title and badge must still tell.
    (document.hidden ? setTimeout : requestAnimationFrame)(() => {
      this.#isDrawn = false;
      this.#render();
    });
  }

  #build() {
    const say = this.#say;
    this.badge = h('span', { class: 'badge', hidden: true, 'aria-hidden': 'true' });
    this.launcher = h(
      'button',
      { class: 'launcher', type: 'button', 'aria-expanded': 'false', 'aria-controls': 'panel', onclick: () => (this.isOpen ? this.close() : this.open()) },
      h('span', { class: 'closed' }, icon('chat')), h('span', { class: 'opened' }, icon('down')), this.badge,
    );
    this.face = h('span', { class: 'face' });
    this.state = h('p', { class: 'state' });
    this.endButton = button(say('end'), 'end', () => this.#ask(true));
    this.banner = h('p', { class: 'banner', role: 'status', hidden: true });
    this.question = h(
      'div', { class: 'question', role: 'group', 'aria-label': say('endSure'), hidden: true }, h('span', {}, say('endSure')),
      h('button', { type: 'button', onclick: () => this.#end() }, say('end')),
      button(say('discard'), 'close', () => this.#ask(false)),
    );
    this.panel = h(
      'section',
      { class: 'panel', id: 'panel', role: 'dialog', 'aria-labelledby': 'name', hidden: true, onkeydown: (event) => this.#key(event) },
      h(
        'div', { class: 'head' }, this.face, h('div', {}, h('h2', { id: 'name' }, this.#option('name') || say('name')), this.state),
        this.endButton, button(say('close'), 'close', () => this.close()),
      ),
      this.question, this.banner, this.door.element, this.messages.element, this.composer.element,
    );
    return h('div', { class: 'root', role: 'region', 'aria-label': this.#option('name') || say('name') }, this.panel, this.launcher, this.announcer.element);
  }

  #show(isOpen) {
    this.isOpen = isOpen;
    this.panel.hidden = !isOpen;
    this.launcher.setAttribute('aria-expanded', isOpen);
    this.element.classList.toggle('open', isOpen);
    this.#fit();
    this.#render();
  }

  #render() {
    const client = this.#client;
    const isIn = Boolean(client.session);
    this.door.element.hidden = isIn;
    this.messages.element.hidden = this.composer.element.hidden = this.endButton.hidden = !isIn;
    if (!isIn) this.question.hidden = true;
    if (this.isOpen && !document.hidden) client.seen();
    const { unread } = client;
    this.badge.hidden = this.isOpen || !unread;
    setText(this.badge, unread > 9 ? '9+' : String(unread));
    this.launcher.setAttribute('aria-label', this.#say(this.isOpen ? 'close' : 'open') + (this.badge.hidden ? '' : `, ${this.#say('unread', { n: unread })}`));
    if (unread !== this.unread) this.#tell('unread', this.unread = unread);
    if (!this.isOpen) return;
    this.#header(client);
    this.messages.render(this.#option('greeting') || this.#say('greeting'), client.typing);
    this.composer.render();
  }

  #header({ responder, connection, session }) {
    const isHuman = responder === 'human' && session;
    const face = isHuman ? 'staff' : 'assistant';
    if (this.face.dataset.who !== face) this.face.replaceChildren(icon(face));
    this.face.dataset.who = face;
    setText(this.state, this.#say(connection === 'connecting' ? 'connecting' : isHuman ? 'withHuman' : 'withAi'));
    this.state.className = `state ${session ? connection : ''}`;
    this.banner.hidden = connection !== 'offline';
    if (!this.banner.hidden) setText(this.banner, this.#say(navigator.onLine ? 'unreachable' : 'offline'));
  }

  #sessionChanged(state) {
    this.announcer.clear();
    this.door.tell(/_/.test(state) ? this.#say('expired') : '');
    this.#render();
    // Who was typing goes on where the conversation does.
    if (this.isOpen && (state === 'open' || this.panel.matches(':focus-within'))) this.focus();
    this.#tell('session', state);
  }

  #told(message) {
    if (!message) return;
    if (this.isOpen) this.announcer.finish(message, this.#who(message));
    this.#tell('message', message);
  }

  #written(id) {
    const answer = this.isOpen && this.#client.running;
    if (answer && answer.id === id) this.announcer.progress(answer, this.#who(answer));
  }

  #who({ from }) {
    return from === 'system' ? '' : this.#say(from);
  }

  #ask(isAsked) {
    this.question.hidden = !isAsked;
    (isAsked ? this.question.querySelector('button') : this.endButton).focus();
  }

  async #end() {
    this.question.hidden = true;
    await this.#client.reset();
    this.focus();
  }

  #key(event) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      if (this.question.hidden) this.close();
      else this.#ask(false);
    }
  }

  /** Follows the window, and on phones the part of it that the keyboard leaves. */
  #follow() {
    const fit = () => this.#fit();
    PHONE.addEventListener('change', fit);
    window.visualViewport?.addEventListener('resize', fit);
    window.visualViewport?.addEventListener('scroll', fit);
    document.addEventListener('visibilitychange', () => this.draw());
  }

  #fit() {
    const isFull = this.isOpen && PHONE.matches;
    const { height, offsetTop } = window.visualViewport ?? { height: innerHeight, offsetTop: 0 };
    this.panel.style.setProperty('--height', `${height}px`);
    this.panel.style.setProperty('--top', `${offsetTop}px`);
    this.panel.ariaModal = isFull || null;
    document.documentElement.style.overflow = isFull ? 'hidden' : '';
    // Full screen, there is nothing else to go to.
    const { host } = this.element.getRootNode();
    for (const other of document.body.children) {
      if (!host || other.contains(host) || other.inert === isFull) continue;
      if (isFull || this.#stilled.has(other)) other.inert = isFull;
      this.#stilled.add(other);
    }
  }
}
