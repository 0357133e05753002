// A conversation while it goes on: what the server renders is put in its place, tokens as text.
(() => {
  "use strict";
  const page = document.getElementById("conversation");
  const items = document.getElementById("items");
  const live = document.getElementById("live");
  const toEnd = document.getElementById("to-end");
  const texts = new Map(); // answers in the making, by id

  const say = (word) => {
    live.textContent = word;
    live.dataset.state = word;
  };
  const isAtEnd = () => window.innerHeight + window.scrollY > document.documentElement.scrollHeight - 160;
  const scroll = () => window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  const keepEnd = (change) => {
    const wasAtEnd = isAtEnd();
    change();
    if (wasAtEnd) scroll();
    else toEnd.hidden = false;
  };

  // The HTML is the server's own rendering: text escaped, Markdown through an allow-list.
  const put = ({ key, seq, html }) => {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    const item = template.content.firstElementChild;
    const there = document.getElementById(key);
    window.consolePage.localise(item.parentNode);
    if (there) {
      item.querySelector("details")?.toggleAttribute("open", there.querySelector("details")?.open ?? false);
      there.replaceWith(item);
    } else {
      const next = [...items.children].find((one) => Number(one.dataset.seq) > seq);
      items.insertBefore(item, next ?? null);
      item.classList.add("is-new");
    }
    document.getElementById("nothing")?.remove();
    texts.delete(key);
  };
  const stream = (answer, change) => {
    const item = document.getElementById(`m-${answer}`);
    if (!item || !item.classList.contains("in-the-making")) return;
    const text = change(texts.get(`m-${answer}`) ?? "");
    texts.set(`m-${answer}`, text);
    keepEnd(() => {
      item.querySelector(".text").textContent = text;
      item.classList.toggle("is-streaming", text !== "");
    });
  };

  let after = page.dataset.after;
  const handlers = {
    item: (data) => keepEnd(() => put(data)),
    drop: ({ key }) => document.getElementById(key)?.remove(),
    delta: ({ answer_id: answer, text }) => stream(answer, (had) => had + text),
    restart: ({ answer_id: answer }) => stream(answer, () => ""),
    state: (data) => {
      page.dataset.responder = data.responder;
      page.dataset.active = data.is_active ? "yes" : "no";
      document.getElementById("questions").textContent = data.messages;
    },
    gone: () => {
      say("erased");
      source.close();
    },
  };
  let source;
  const follow = () => {
    source = new EventSource(`${page.dataset.live}?after=${after}`);
    source.onopen = () => say("live");
    source.onerror = () => {
      // Closed for good: signed out, or no longer allowed to read.
      if (source.readyState === EventSource.CLOSED) say("signed out");
      else say("reconnecting");
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) after = event.lastEventId;
        handle(JSON.parse(event.data));
      });
    }
  };
  follow();
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) follow(); });
  // A browser opens six connections to a host: pages in the background must not hold them all.
  let leaving;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.visibilityState === "visible") {
      if (live.dataset.state === "paused") follow();
    } else if (source.readyState !== EventSource.CLOSED) {
      leaving = setTimeout(() => { source.close(); say("paused"); }, 20000);
    }
  });

  toEnd.addEventListener("click", scroll);
  window.addEventListener("scroll", () => { if (isAtEnd()) toEnd.hidden = true; }, { passive: true });
  if (!location.hash) scroll();

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || window.consolePage.isTyping(event.target)) return;
    const target = { j: "#older", k: "#newer", u: ".back" }[event.key];
    if (target) document.querySelector(target)?.click();
    if (event.key === "r" && document.getElementById("text")) {
      event.preventDefault();
      document.getElementById("text").focus();
    }
  });
})();
