// The tariff editor: asks the server what it thinks of the text, a moment after one has stopped to
// type, and shows the numbers of the lines. The form works without it. Never runs text from an answer.
(() => {
  "use strict";
  const form = document.querySelector("form[data-tariff-editor]");
  if (!form) return;
  const PAUSE_MS = 500;
  const area = form.querySelector("textarea");
  const numbers = form.querySelector("[data-numbers]");
  const said = document.getElementById("checked");
  let timer = 0;
  let asked = null;
  let dirty = false;

  const count = () => {
    const lines = area.value.split("\n").length;
    numbers.textContent = Array.from({ length: lines }, (_, n) => n + 1).join("\n");
  };

  const check = async () => {
    if (asked) asked.abort();
    const mine = (asked = new AbortController());
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { Accept: "text/html", "X-Live": "1" },
        body: new URLSearchParams(new FormData(form)),
        cache: "no-store",
        redirect: "error",
        signal: mine.signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (asked === mine) said.replaceChildren(...fresh.body.childNodes);
    } catch {
      if (!mine.signal.aborted) {
        const warning = document.createElement("p");
        warning.className = "why";
        warning.textContent = "It cannot be checked now: the server does not answer.";
        said.replaceChildren(warning);
      }
    }
  };

  form.addEventListener("input", () => {
    dirty = true;
    count();
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE_MS);
  });
  form.addEventListener("submit", () => { dirty = false; });
  area.addEventListener("scroll", () => { numbers.scrollTop = area.scrollTop; });
  addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  count();
})();
