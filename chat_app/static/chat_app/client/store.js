/** What outlives a page: kept in localStorage where the browser allows it, else in memory. */

export class Store {
  #prefix;

  #memory = {};

  constructor(prefix) {
    this.#prefix = prefix;
  }

  get(name, otherwise = null) {
    try {
      return JSON.parse(localStorage.getItem(this.#prefix + name)) ?? otherwise;
    } catch {
      return this.#memory[name] ?? otherwise;
    }
  }

  /** Keeps `value`; null forgets it. */
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(this.#prefix + name);
      else localStorage.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      this.#memory[name] = value;
    }
  }

  /** Calls `listener(name)` when another tab changed something. */
  watch(listener) {
    addEventListener('storage', ({ key }) => {
      if (key?.startsWith(this.#prefix)) listener(key.slice(this.#prefix.length));
    });
  }
}
