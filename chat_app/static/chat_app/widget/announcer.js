/** What screen readers are told: whole sentences, never tokens, and nothing of the past. */
import { h } from './dom.js';

const SENTENCE = /^[^]*(?:[.!?…:]["')\]]*\s|[。！？]|\n)/;
const KEPT = 12;

export class Announcer {
  element = h('div', { class: 'hidden', role: 'status', 'aria-live': 'polite' });

  /** Characters already told, by the answer's id. */
  #told = new Map();

  tell(text) {
    if (!text.trim()) return;
    this.element.append(h('p', {}, text.trim()));
    while (this.element.children.length > KEPT) this.element.firstChild.remove();
  }

  clear() {
    this.element.replaceChildren();
  }

  /** Tells the sentences of an unfinished answer that are complete and were not told. */
  progress({ id, text }, who) {
    const complete = SENTENCE.exec(text)?.[0].length ?? 0;
    this.#upTo(id, text, complete, who);
  }

  /** Tells what is left of a finished message. */
  finish({ id, text }, who) {
    this.#upTo(id, text, text.length, who);
    this.#told.delete(id);
  }

  #upTo(id, text, end, who) {
    const begin = this.#told.get(id) ?? 0;
    if (end <= begin) return;
    this.tell((begin ? '' : `${who}: `) + text.slice(begin, end));
    this.#told.set(id, end);
  }
}
