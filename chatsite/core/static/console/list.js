// The list: up and down by keyboard, ticks, and exports that say how far they are.
(() => {
  "use strict";
  const rows = [...document.querySelectorAll("tr.conversation")];
  let at = -1;

  const move = (step) => {
    at = Math.max(0, Math.min(rows.length - 1, at + step));
    rows[at]?.querySelector("a.open").focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || window.consolePage.isTyping(event.target)) return;
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
  });
  rows.forEach((row, number) => row.addEventListener("focusin", () => { at = number; }));

  const form = document.getElementById("export-form");
  const all = document.getElementById("tick-all");
  if (!form || !all) return;
  const ticks = [...form.querySelectorAll("input[name=pk]")];
  const said = document.getElementById("export-said");
  const bar = document.getElementById("export-progress");
  const count = () => {
    document.getElementById("ticked").textContent = ticks.filter((tick) => tick.checked).length;
  };
  all.addEventListener("change", () => {
    for (const tick of ticks) tick.checked = all.checked;
    count();
  });
  form.addEventListener("change", count);
  count();

  // The browser downloads by itself; how far the server is, is asked beside it.
  const watch = async (key, tries) => {
    const answer = await fetch(`${form.action}${key}/`, { headers: { Accept: "application/json" } });
    const { done, total } = answer.ok ? await answer.json() : { done: 0, total: 0 };
    if (total) {
      bar.hidden = false;
      bar.max = total;
      bar.value = done;
      said.textContent = done < total ? `${done} of ${total}` : `${total} exported`;
    }
    if ((!total && tries > 0) || done < total) setTimeout(() => watch(key, tries - 1), 400);
  };
  form.addEventListener("submit", (event) => {
    const wantsAll = form.querySelector("input[name=all]:checked").value;
    if (!wantsAll && !ticks.some((tick) => tick.checked)) {
      event.preventDefault();
      said.textContent = "Tick at least one conversation.";
      return;
    }
    const key = crypto.randomUUID ? crypto.randomUUID() : `k${Date.now()}${Math.random()}`.replace(".", "");
    form.elements.key.value = key;
    said.textContent = "Preparing…";
    setTimeout(() => watch(key, 30), 300);
  });
})();
