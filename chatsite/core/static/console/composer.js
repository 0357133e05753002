// Answering and acting without leaving the page; without this script the forms work all the same.
(() => {
  "use strict";
  const composer = document.getElementById("composer");
  const said = document.getElementById("said");

  const send = async (form) => {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      redirect: "error",
    });
    const body = await answer.json().catch(() => ({ detail: "Something went wrong; reload the page." }));
    if (!answer.ok) throw new Error(body.detail);
    return body.detail;
  };
  const tell = (text, isBad = false) => {
    if (!said) return;
    said.textContent = text;
    said.classList.toggle("is-bad", isBad);
  };

  for (const form of document.querySelectorAll("form[data-act]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      try {
        tell(await send(form));
      } catch (error) {
        tell(error.message || "It could not be sent; try again.", true);
      } finally {
        button.disabled = false;
      }
    });
  }

  document.getElementById("reveal")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    if (!answer.ok) return;
    const shown = await answer.json();
    document.getElementById("email").textContent = shown.email || "(erased)";
    document.getElementById("address").textContent = shown.address;
    form.remove();
  });

  if (!composer) return;
  const text = document.getElementById("text");
  const grow = () => {
    text.rows = Math.min(10, Math.max(2, text.value.split("\n").length));
  };
  let toldAt = 0;
  const tellTyping = () => {
    if (!text.value.trim() || Date.now() - toldAt < 5000) return;
    toldAt = Date.now();
    const body = new FormData();
    body.append("csrfmiddlewaretoken", composer.elements.csrfmiddlewaretoken.value);
    // Nothing depends on it: the visitor is shown that somebody writes, or is not.
    fetch(composer.dataset.typing, { method: "POST", body }).catch(() => {});
  };
  text.addEventListener("input", () => {
    grow();
    tellTyping();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) composer.requestSubmit();
    if (event.key === "Escape") text.blur();
  });
  document.getElementById("snippet")?.addEventListener("change", (event) => {
    text.setRangeText(event.target.value, text.selectionStart, text.selectionEnd, "end");
    event.target.value = "";
    grow();
    text.focus();
  });
  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = composer.querySelector("button[type=submit]");
    if (button.disabled || !text.value.trim()) return;
    button.disabled = true;
    tell("Sending…");
    try {
      tell(await send(composer));
      text.value = "";
      // The next reply is another one: its key must not be this one's.
      composer.elements.key.value = crypto.getRandomValues(new Uint32Array(3)).join("");
      grow();
    } catch (error) {
      tell(error.message || "It could not be sent; try again.", true);
    } finally {
      button.disabled = false;
      text.focus();
    }
  });
})();
