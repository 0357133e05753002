/** The door: where a visitor says their address, agrees, and maybe types a code. */
import { h } from './dom.js';

export class Door {
  #client;
  #say;
  #until = 0;
  #timer;

  constructor(client, say, option) {
    this.#client = client;
    this.#say = say;
    this.notice = h('p', { class: 'notice', role: 'status', hidden: true });
    this.error = h('p', { class: 'error', id: 'error', role: 'alert' });
    this.email = h('input', {
      type: 'email', id: 'email', autocomplete: 'email', required: true,
      value: option('email') || client.email, 'aria-describedby': 'error',
    });
    this.agreed = h('input', { type: 'checkbox', id: 'agreed' });
    this.consent = h('label', { htmlFor: 'agreed' });
    this.retention = h('p', { class: 'fine' });
    this.code = h('input', {
      type: 'text', id: 'code', autocomplete: 'one-time-code', inputMode: 'numeric', 'aria-describedby': 'error',
    });
    this.sent = h('p');
    this.submit = h('button', { class: 'main', type: 'submit' });
    this.first = h(
      'div', {}, h('label', { htmlFor: 'email' }, say('email')), this.email,
      h('div', { class: 'agree' }, this.agreed, this.consent),
    );
    this.second = h(
      'div', { hidden: true }, this.sent, h('label', { htmlFor: 'code' }, say('code')), this.code,
      h('button', { class: 'link', type: 'button', onclick: () => this.#step(false) }, say('back')),
    );
    this.element = h(
      'form', { class: 'door', noValidate: true, onsubmit: (event) => this.#submitted(event) },
      h('h3', {}, option('greeting') || say('greeting')), h('p', { class: 'intro' }, option('intro') || say('intro')),
      this.notice, this.first, this.second, this.error, this.submit, this.retention,
    );
    this.#step(false);
  }

  focus() {
    (this.second.hidden ? this.email : this.code).focus();
  }

  /** Why the visitor is here again. */
  tell(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  /** What is agreed to, from the page's attributes, the installation, or our own sentences. */
  async prepare(option) {
    const found = await this.#client.preferences();
    const privacy = option('privacy') || found.privacy;
    this.consent.replaceChildren(
      option('consent') || found.consent || this.#say('consent'),
      ...(/^(https?:|\/)/.test(privacy) ? [' ', h('a', { href: privacy, target: '_blank', rel: 'noopener' }, this.#say('privacy'))] : []),
    );
    this.retention.textContent = option('retention') || found.retention
      || this.#say('retention', { n: found.session_hours ?? 24 });
    return found;
  }

  #step(isCode) {
    this.first.hidden = isCode;
    this.second.hidden = !isCode;
    this.submit.textContent = this.#say(isCode ? 'verify' : 'start');
    this.sent.textContent = this.#say('codeSent', { email: this.email.value });
    this.#fail('');
  }

  #fail(text, field) {
    this.error.textContent = text;
    for (const input of [this.email, this.code, this.agreed]) input.setAttribute('aria-invalid', input === field);
    field?.focus();
  }

  async #submitted(event) {
    event.preventDefault();
    const isCode = this.first.hidden;
    const email = this.email.value.trim();
    if (!isCode && !this.email.validity.valid) return this.#fail(this.#say('badEmail'), this.email);
    if (!isCode && !this.agreed.checked) return this.#fail(this.#say('needConsent'), this.agreed);
    this.submit.disabled = true;
    this.#fail('');
    try {
      const found = isCode ? await this.#client.verify(email, this.code.value.trim()) : await this.#client.signIn(email);
      this.#step(found === 'code_sent');
      this.tell('');
      if (found === 'code_sent') this.focus();
    } catch (problem) {
      this.#refused(problem, isCode);
    }
    this.submit.disabled = Date.now() < this.#until;
    return undefined;
  }

  #refused({ code, status, retryAfter }, isCode) {
    if (status === 429) return this.#wait(retryAfter);
    const known = { offline: 'offline', network: 'unreachable', unavailable: 'unreachable', cors: 'cors' }[code];
    if (known) return this.#fail(this.#say(known));
    if (isCode && status < 500) return this.#fail(this.#say('badCode'), this.code);
    if (status === 400) return this.#fail(this.#say('badEmail'), this.email);
    return this.#fail(this.#say(status === 403 ? 'blocked' : 'failure'));
  }

  /** Counts down after a 429, and opens the form again. */
  #wait(seconds) {
    clearInterval(this.#timer);
    this.#until = Date.now() + (seconds || 5) * 1000;
    const show = () => {
      const left = Math.ceil((this.#until - Date.now()) / 1000);
      this.submit.disabled = left > 0;
      this.error.textContent = left > 0 ? this.#say('wait', { n: left }) : '';
      if (left <= 0) clearInterval(this.#timer);
    };
    this.#timer = setInterval(show, 1000);
    show();
  }
}
