// Every page of the console: times in the reader's own zone, and a slash that searches.
(() => {
  "use strict";
  const withDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      time.title = full.format(moment);
      if (/\d\d:\d\d/.test(time.textContent)) time.textContent = withDay.format(moment);
    }
  };
  const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const search = document.getElementById("q") || document.getElementById("searchbar");
    if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });
  localise(document);
  window.consolePage = { localise, isTyping };
})();
