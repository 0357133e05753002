/** The messages: who said what, when, and what became of it. */
import { button, h, icon, setHtml, setText } from './dom.js';

const NEAR = 60; // pixels from an edge that count as being there

export class Messages {
  #client;
  #say;
  #clock;
  #day;
  #nodes = new Map();
  #isAtEnd = true;
  #first;

  constructor(client, say, lang) {
    Object.assign(this, { element: this.#build(client, say) });
    this.#client = client;
    this.#say = say;
    this.#clock = new Intl.DateTimeFormat(lang, { hour: 'numeric', minute: '2-digit' });
    this.#day = new Intl.DateTimeFormat(lang, { weekday: 'long', day: 'numeric', month: 'long' });
  }

  #build(client, say) {
    this.list = h('div', { class: 'list' });
    this.log = h(
      'div',
      // Sentences are announced elsewhere (announcer.js): a live log would read every token.
      { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': say('name'), tabIndex: 0, onscroll: () => this.#scrolled() },
      this.list,
    );
    this.latest = h('button', { class: 'latest', type: 'button', hidden: true, onclick: () => this.toEnd() }, icon('down'), say('latest'));
    return h('div', { class: 'talk' }, this.log, this.latest);
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.#isAtEnd = true;
    this.latest.hidden = true;
  }

  /** Brings what is shown in line with what is known; `greeting` stands above the first message. */
  render(greeting, typing) {
    const { log } = this;
    const height = log.scrollHeight;
    const rows = this.#rows(greeting, typing);
    const kept = new Set(rows.map(({ key }) => key));
    for (const [key, row] of this.#nodes) if (!kept.has(key)) row.node.remove(), this.#nodes.delete(key);
    let before = null;
    let grown = false;
    for (const row of rows) {
      const node = this.#node(row);
      const place = before ? before.nextSibling : this.list.firstChild;
      if (node !== place) this.list.insertBefore(node, place), grown = true;
      before = node;
    }
    const first = rows.find(({ message }) => message?.id)?.key;
    const isEarlier = this.#first && first !== this.#first && kept.has(this.#first);
    this.#first = first;
    if (this.#isAtEnd) this.toEnd();
    else if (isEarlier) log.scrollTop += log.scrollHeight - height;
    else if (grown) this.latest.hidden = false;
    if (log.clientHeight && log.scrollTop < NEAR) this.#client.earlier().catch(() => {});
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.#isAtEnd) this.latest.hidden = true;
    if (scrollTop < NEAR) this.#client.earlier().catch(() => {});
  }

  /** Messages with the days between them, and who begins to speak where. */
  #rows(greeting, typing) {
    const rows = [];
    let day = this.#day.format(Date.now()); // today goes without saying
    let speaker;
    const { messages, hasEarlier } = this.#client;
    if (greeting && !hasEarlier) messages.unshift({ key: 'greeting', from: 'assistant', text: greeting });
    if (typing) messages.push({ key: 'typing', from: typing, text: '', status: 'running' });
    for (const message of messages) {
      if (message.status === 'stopped' && !message.text) continue; // a person took over
      const on = message.at ? this.#day.format(message.at) : day;
      if (on !== day) {
        rows.push({ key: on, day: on });
        speaker = null;
        day = on;
      }
      rows.push({ key: message.key || message.id, message, isFirst: message.from !== speaker });
      speaker = message.from;
    }
    return rows;
  }

  #node({ key, day, message, isFirst }) {
    const row = this.#nodes.get(key) ?? { node: h('div', day ? { class: 'day' } : {}) };
    this.#nodes.set(key, row);
    if (day) setText(row.node, day);
    else this.#draw(row, message, isFirst);
    return row.node;
  }

  #draw(row, message, isFirst) {
    const { from, text, html, status, problem, notice } = message;
    const version = [status, problem?.code, html, isFirst, !text, notice].join();
    if (row.version === version) {
      if (html === undefined && text && row.body) setText(row.body, text);
      return;
    }
    row.version = version;
    row.node.className = `said ${from} ${status ?? ''}${isFirst ? ' first' : ''}`;
    row.node.dataset.id = message.id ?? '';
    if (from === 'system') {
      row.node.replaceChildren(h('p', { dir: 'auto' }, notice ? this.#say(notice === 'ai' ? 'handback' : notice) : text));
      return;
    }
    row.body = this.#body(message);
    row.node.replaceChildren(...[isFirst && this.#head(message), row.body, this.#foot(message)].filter(Boolean));
  }

  #head({ from, at, author }) {
    const who = { visitor: 'you', assistant: 'assistant', staff: 'staff' }[from];
    return h(
      'div', { class: 'who' },
      from !== 'visitor' && h('span', { class: 'face' }, icon(from)),
      h('b', { class: from === 'visitor' && 'hidden' }, author || this.#say(who)),
      from === 'assistant' && h('span', { class: 'tag' }, this.#say('ai')),
      at && h('time', { dateTime: new Date(at).toISOString() }, this.#clock.format(at)),
    );
  }

  #body({ from, text, html, status }) {
    const body = h('div', { class: 'body', dir: 'auto' });
    if (html !== undefined) {
      body.classList.add('rich');
      setHtml(body, html);
    }
    else if (text || !['queued', 'running'].includes(status)) body.textContent = text;
    else {
      const words = this.#say(from === 'staff' ? 'writingHuman' : 'writing');
      body.append(h('span', { class: 'dots' }, h('i'), h('i'), h('i'), h('span', { class: 'hidden' }, words)));
    }
    return body;
  }

  #foot({ from, key, text, status, at, problem }) {
    const say = this.#say;
    if (from === 'visitor') {
      if (status === 'sending') return h('div', { class: 'foot' }, say('sending'));
      return status === 'failed' && h(
        'div', { class: 'foot bad', role: 'alert' }, `${say('failed')} `,
        problem.code !== 'message_limit' && h('button', { type: 'button', onclick: () => this.#client.retry(key) }, say('retry')),
        h('button', { type: 'button', onclick: () => this.#client.discard(key) }, say('discard')),
      );
    }
    if (!at || !text || status === 'running') return null;
    return h('div', { class: 'foot' }, status === 'stopped' && say('stopped'), this.#copy(text));
  }

  #copy(text) {
    return navigator.clipboard && button(this.#say('copy'), 'copy', async ({ currentTarget: pressed }) => {
      await navigator.clipboard.writeText(text);
      pressed.replaceChildren(icon('done'));
      setTimeout(() => pressed.replaceChildren(icon('copy')), 1600);
    }, 'copy');
  }
}
