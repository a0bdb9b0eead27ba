// Keeps a page of the console fresh: asks for the same page again and takes over the parts
// marked data-live. Says so when the server no longer answers. Never runs text from an answer.
(() => {
  "use strict";

  const everyMs = Number(document.body.dataset.refresh || 0) * 1000;
  if (!everyMs) return;
  const stale = document.getElementById("stale");
  let heard = Date.now();
  let timer = 0;
  let asking = false;
  let pressed = false;

  // A part that the operator is using stays as it is: a click must not miss its button.
  const inUse = (part) => {
    const chosen = document.getSelection();
    return (
      pressed ||
      (document.activeElement !== document.body && part.contains(document.activeElement)) ||
      (chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode))
    );
  };

  const takeOver = (fresh) => {
    document.title = fresh.title;
    const main = document.querySelector("main");
    for (const part of document.querySelectorAll("[data-live]")) {
      const renewed = fresh.getElementById(part.id);
      if (inUse(part)) continue;
      if (!renewed) part.replaceChildren();
      else if (renewed.innerHTML !== part.innerHTML) part.replaceChildren(...renewed.childNodes);
    }
    // A part that was not there before: the page is shaped anew, unless somebody works on it.
    const added = [...fresh.querySelectorAll("main [data-live]")].some(
      (part) => !document.getElementById(part.id)
    );
    if (added && !inUse(main) && !main.querySelector("details[open]")) {
      main.replaceChildren(...fresh.querySelector("main").childNodes);
    }
  };

  const warn = (text) => {
    const time = new Date(heard).toISOString().slice(11, 19);
    stale.textContent = `${text} What you see is as of ${time} UTC.`;
    stale.hidden = false;
    document.body.classList.add("is-stale");
  };

  const ask = async () => {
    if (asking || document.hidden) return;
    asking = true;
    const patience = new AbortController();
    const limit = setTimeout(() => patience.abort(), 10000);
    try {
      const answer = await fetch(location.href, {
        headers: { Accept: "text/html", "X-Live": "1" },
        cache: "no-store",
        redirect: "error",
        signal: patience.signal,
      });
      if (answer.ok) {
        takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
        heard = Date.now();
        stale.hidden = true;
        document.body.classList.remove("is-stale");
      } else if (answer.status === 401 || answer.status === 403) {
        warn("You are no longer signed in: reload the page.");
      } else {
        warn(`The server answers with error ${answer.status}.`);
      }
    } catch {
      warn("The server does not answer.");
    } finally {
      clearTimeout(limit);
      asking = false;
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(ask, everyMs);
    }
  };

  addEventListener("pointerdown", () => { pressed = true; });
  addEventListener("pointerup", () => { pressed = false; });
  addEventListener("pointercancel", () => { pressed = false; });
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) ask();
  });
  timer = setTimeout(ask, everyMs);
})();
