/**
 * The conversation as it is known here. Everything may come twice, late, or by two ways (history,
 * stream, another tab, the answer to a post): what is applied again changes nothing.
 */

/**
 * @typedef {object} Entry  a visitor's question with its answer, or what was said unasked
 * @property {'visitor' | 'staff' | 'system'} from
 * @property {string} [id]      the API's; unknown until the message is stored
 * @property {string} [key]     the idempotency key it was posted with
 * @property {'sending' | 'sent' | 'failed'} [status]
 */

const FINAL = new Set(['done', 'stopped', 'failed']);

export class Transcript {
  /** @type {Entry[]} */
  entries = [];

  /** The number of the last event seen; a stream resumes after it. */
  cursor = 0;

  /** All messages in order, answers after their questions. */
  get messages() {
    return this.entries.flatMap(({ answer, ...said }) => (answer ? [said, answer] : [said]));
  }

  /** Adds what the visitor just wrote, before the API has it. */
  add(key, text, at) {
    this.entries.push({ key, from: 'visitor', text, at, status: 'sending' });
  }

  find = (key) => this.entries.find((entry) => entry.key === key);

  drop(key) {
    this.entries = this.entries.filter((entry) => entry.key !== key || entry.id);
  }

  /** A line that nobody said: `human`, `ai` or `closed`. */
  note(notice) {
    this.entries.push({ id: `${notice}${Math.random()}`, from: 'system', notice, at: Date.now() });
  }

  /** The API took the message posted with `key`. */
  posted(key, { message_id: id, answer_id: answer, status }) {
    const entry = this.#question({ id, key });
    if (answer && !entry.answer) entry.answer = { id: answer, from: 'assistant', text: '', status };
  }

  /** A page of the history: all of it is older than what follows it here. */
  load({ messages }) {
    const known = new Set(this.entries.map((entry) => entry.id));
    const older = messages.filter((row) => !known.has(row.id)).map((row) => ({ id: row.id }));
    const waiting = new Set(messages.map((row) => row.idempotency_key).filter(Boolean));
    // What was sent from here and is stored by now is the history's.
    this.entries = this.entries.filter((entry) => entry.id || !waiting.has(entry.key));
    this.entries.unshift(...older);
    for (const row of messages) this.#fill(this.entries.find((entry) => entry.id === row.id), row);
  }

  /** The stream broke: what it sends of an unfinished answer begins anew. */
  interrupted() {
    for (const { answer } of this.entries) if (answer) answer.isStale = true;
  }

  /** Applies one event; says whether it finished something that the visitor has not seen yet. */
  apply({ id = 0, name, data }) {
    if (id && id <= this.cursor && name === 'status') return false;
    const isNew = id > this.cursor;
    this.cursor = Math.max(this.cursor, id);
    if (name === 'message') return this.#said(data, isNew);
    if (name === 'edited') this.#said(data, false);
    if (name === 'deleted') this.entries = this.entries.filter((entry) => entry.id !== data.id);
    if (name === 'answer') return this.finish(data);
    if (name === 'restart') this.#answer(data.answer_id, (answer) => { answer.text = ''; });
    if (name === 'delta') this.#answer(data.answer_id, (answer) => extend(answer, data));
    return false;
  }

  /** The whole text of an answer; says whether it was unfinished here. */
  finish({ answer_id: id, message_id: question, ...data }) {
    const entry = this.entries.find((one) => (question ? one.id === question : one.answer?.id === id));
    if (!entry || FINAL.has(entry.answer?.status)) return false;
    entry.answer = { at: Date.now(), ...entry.answer, ...ended(data), id, from: 'assistant' };
    return data.status !== 'stopped';
  }

  /** What is shown of unfinished answers, for a tab that comes later. */
  partials() {
    return this.entries.filter(({ answer }) => answer?.text && !FINAL.has(answer.status))
      .flatMap(({ answer: { id, text } }) => [
        { name: 'restart', data: { answer_id: id } }, { name: 'delta', data: { answer_id: id, text } },
      ]);
  }

  #said({ id, message_type: type, text, html, timestamp, author, idempotency_key: key }, isNew) {
    const known = this.entries.find((entry) => entry.id === id);
    if (type === 'user') {
      if (known || isNew) Object.assign(this.#question({ id, key }), { text, at: Date.parse(timestamp) });
      return false;
    }
    const said = { id, from: type, text, html, author, at: Date.parse(timestamp) };
    if (known) Object.assign(known, said);
    else if (isNew) this.entries.push(said);
    return !known && isNew;
  }

  /** The question with this id or key, once: the event may come before the answer to the post. */
  #question({ id, key }) {
    const known = this.entries.find((entry) => entry.id === id);
    const sent = key && this.find(key);
    if (known && sent && known !== sent) this.entries.splice(this.entries.indexOf(sent), 1);
    const entry = known || sent || { from: 'visitor' };
    if (entry !== known && entry !== sent) this.entries.push(entry);
    return Object.assign(entry, { id, key: key ?? entry.key, status: 'sent', problem: undefined });
  }

  #fill(entry, row) {
    const at = Date.parse(row.timestamp);
    const isAsked = row.answered_by !== 'staff' || row.message;
    const said = { from: isAsked ? 'visitor' : 'staff', text: isAsked ? row.message : row.response };
    Object.assign(entry, { at, status: 'sent', key: row.idempotency_key, author: row.author }, said);
    if (!isAsked) entry.html = row.response_html;
    if (!isAsked || !row.answer_id || FINAL.has(entry.answer?.status)) return;
    entry.answer = {
      text: '', at, ...entry.answer, id: row.answer_id, status: row.status,
      from: row.answered_by === 'staff' ? 'staff' : 'assistant',
      ...(FINAL.has(row.status) && ended(row)),
    };
  }

  /** The unfinished answer, or the oldest question's that has none: a stream names answers only. */
  #answer(id, change) {
    let entry = this.entries.find(({ answer }) => answer?.id === id);
    entry ??= this.entries.find((one) => one.from === 'visitor' && one.id && !one.answer);
    if (!entry || FINAL.has(entry.answer?.status)) return;
    entry.answer ??= { id, from: 'assistant', text: '' };
    entry.answer.status = 'running';
    change(entry.answer);
  }
}

function extend(answer, { text }) {
  answer.text = (answer.isStale ? '' : answer.text) + text;
  answer.isStale = false;
}

const ended = ({ response: text, response_html: html, status, safety, degraded }) => ({
  text, html, status, safety, degraded,
});
