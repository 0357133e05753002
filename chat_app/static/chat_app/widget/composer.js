/** Where one writes: the field, the button that sends or stops, and what there is to say about it. */
import { button, h, icon, setText } from './dom.js';

const FEW = 5;

export class Composer {
  most = 4000;

  #client;
  #say;
  #onsend;
  #timer;

  constructor(client, say, { suggestions, onsend }) {
    this.#client = client;
    this.#say = say;
    this.#onsend = onsend;
    this.field = h('textarea', {
      rows: 1, 'aria-label': say('message'), 'aria-describedby': 'hint', value: client.draft, dir: 'auto', enterKeyHint: 'send',
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event),
    });
    this.act = button(say('send'), 'send', null, 'act');
    this.act.type = 'submit';
    this.hint = h('span', {});
    this.anew = h('button', { type: 'button', class: 'link', hidden: true, onclick: () => client.reset() }, say('anew'));
    this.suggestions = h('div', { class: 'suggestions', hidden: true }, (suggestions || '').split('|').filter(Boolean).map((text) => h(
      'button', { type: 'button', onclick: () => this.#send(text.trim()) }, text.trim(),
    )));
    this.element = h(
      'form', { class: 'composer', onsubmit: (event) => this.#submitted(event) }, this.suggestions,
      h('div', { class: 'box' }, this.field, this.act), h('p', { class: 'hint', id: 'hint' }, this.hint, ' ', this.anew),
    );
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  render() {
    const client = this.#client;
    const say = this.#say;
    const { value } = this.field;
    // Another tab, or a new session, may hold another draft; what is being typed here stays.
    if (client.draft !== value && !this.field.matches(':focus')) this.field.value = client.draft;
    const isStop = Boolean(client.running) && !this.field.value.trim();
    if (this.isStop !== isStop) {
      this.isStop = isStop;
      this.act.replaceChildren(icon(isStop ? 'stop' : 'send'));
      this.act.ariaLabel = this.act.title = say(isStop ? 'stop' : 'send');
    }
    const wait = Math.ceil((client.waitUntil - Date.now()) / 1000);
    const isFull = client.messages.some(({ problem }) => problem?.code === 'message_limit') || client.remaining === 0;
    const over = [...this.field.value].length - this.most;
    this.act.disabled = !isStop && (!this.field.value.trim() || wait > 0 || isFull || over > 0);
    this.field.placeholder = say(client.responder === 'human' ? 'messageHuman' : 'message');
    this.suggestions.hidden = client.messages.length > 0;
    this.anew.hidden = !isFull;
    setText(this.hint, this.#words({ wait, isFull, over, remaining: client.remaining }));
    this.hint.className = wait > 0 || isFull || over > 0 ? 'bad' : '';
    this.#grow();
    clearTimeout(this.#timer);
    if (wait > 0) this.#timer = setTimeout(() => this.render(), 1000);
  }

  #words({ wait, isFull, over, remaining }) {
    if (over > 0) return this.#say('tooLong', { n: over });
    if (isFull) return this.#say('limit');
    if (wait > 0) return this.#say('wait', { n: wait });
    if (remaining <= FEW) return this.#say('remaining', { n: remaining });
    return this.#client.responder === 'ai' ? this.#say('note') : '';
  }

  #grow() {
    const { style } = this.field;
    style.height = 'auto';
    style.height = `${this.field.scrollHeight}px`;
  }

  #typed() {
    this.#client.draft = this.field.value;
    this.render();
  }

  #key(event) {
    // A key that ends a composition of characters is not a wish to send.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!this.isStop) this.#submitted(event);
  }

  #submitted(event) {
    event.preventDefault();
    if (this.isStop) this.#client.stop().catch(() => {});
    else if (!this.act.disabled) this.#send(this.field.value);
  }

  #send(text) {
    this.field.value = this.#client.draft = '';
    this.#client.send(text);
    this.#onsend();
    this.focus();
  }
}
