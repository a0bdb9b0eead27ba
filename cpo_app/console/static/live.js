// Keeps a page of the console fresh: asks for the same page again and takes over the parts
// marked data-live, when the server says that something has changed (server-sent events), and
// from time to time where it cannot say so. Says so when the server no longer answers. Never runs
// text from an answer.
(() => {
  "use strict";

  const everyMs = Number(document.body.dataset.refresh || 0) * 1000;
  if (!everyMs) return;
  const shows = document.body.dataset.shows;
  const CALM_MS = 30000;   // how often to ask though nothing is said to have changed
  const SILENT_MS = 45000; // a stream that says nothing for so long is broken
  const AGAIN_MS = 15000;  // before the next try to listen
  const STREAMS = 4;       // of one browser: it has but six connections to a host

  const stale = document.getElementById("stale");
  const sent = new Map();  // what the server sent last, part by part
  let heard = Date.now();
  let asked = 0;
  let timer = 0;
  let asking = false;
  let again = false;
  let listening = null;
  let hears = false;
  let pressed = false;
  let leaving = false;

  for (const part of document.querySelectorAll("[data-live]")) sent.set(part.id, part.innerHTML);

  // A part that the operator is using stays as it is: a click must not miss its button.
  const inUse = (part) => {
    const chosen = document.getSelection();
    return (
      pressed ||
      (document.activeElement !== document.body && part.contains(document.activeElement)) ||
      (chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode))
    );
  };

  const replace = (part, renewed) => {
    const open = new Set(
      [...part.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent)
    );
    part.replaceChildren(...renewed.childNodes);
    for (const summary of part.querySelectorAll("details > summary")) {
      if (open.has(summary.textContent)) summary.parentElement.open = true;
    }
  };

  const takeOver = (fresh) => {
    document.title = fresh.title;
    const main = document.querySelector("main");
    for (const part of document.querySelectorAll("[data-live]")) {
      const renewed = fresh.getElementById(part.id);
      if (inUse(part)) continue;
      if (!renewed) {
        part.replaceChildren();
        sent.delete(part.id);
      } else if (renewed.innerHTML !== sent.get(part.id)) {
        sent.set(part.id, renewed.innerHTML);
        replace(part, renewed);
      }
    }
    // A part that was not there before: the page is shaped anew, unless somebody works on it.
    const added = [...fresh.querySelectorAll("main [data-live]")].some(
      (part) => !document.getElementById(part.id)
    );
    if (added && !inUse(main) && !main.querySelector("details[open]")) {
      for (const part of fresh.querySelectorAll("main [data-live]")) sent.set(part.id, part.innerHTML);
      main.replaceChildren(...fresh.querySelector("main").childNodes);
    }
    document.dispatchEvent(new CustomEvent("console:renewed"));
  };

  const warn = (text) => {
    const time = new Date(heard).toISOString().slice(11, 19);
    stale.textContent = `${text} What you see is as of ${time} UTC.`;
    stale.hidden = false;
    document.body.classList.add("is-stale");
  };

  const calm = () => {
    heard = Date.now();
    stale.hidden = true;
    document.body.classList.remove("is-stale");
  };

  const askIn = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(ask, ms);
  };

  const ask = async () => {
    if (asking || document.hidden || leaving) return;
    asking = true;
    again = false;
    asked = Date.now();
    const patience = new AbortController();
    const limit = setTimeout(() => patience.abort(), 10000);
    let answered = false;
    try {
      const answer = await fetch(location.href, {
        headers: { Accept: "text/html", "X-Live": "1" },
        cache: "no-store",
        redirect: "error",
        signal: patience.signal,
      });
      if (answer.ok) {
        takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
        calm();
        answered = true;
      } else if (answer.status === 401 || answer.status === 403) {
        warn("You are no longer signed in: reload the page.");
      } else {
        warn(`The server answers with error ${answer.status}.`);
      }
    } catch {
      if (!leaving) warn("The server does not answer.");
    } finally {
      clearTimeout(limit);
      asking = false;
      if (!document.hidden) askIn(hears && answered && !again ? CALM_MS : everyMs / (hears ? 2 : 1));
    }
  };

  // Half as long as without being told, so that a page that is told of much asks no more than twice
  // as often.
  const changed = () => {
    if (asking) again = true;
    else askIn(Math.max(0, asked + everyMs / 2 - Date.now()));
  };

  // The browser's connections to a host are few, and its windows share them.
  const inAPlace = async (work) => {
    if (!navigator.locks) return work();
    for (let n = 0; n < STREAMS; n += 1) {
      let had = false;
      await navigator.locks.request(`console-stream-${n}`, { ifAvailable: true }, async (place) => {
        had = place !== null;
        if (had) await work();
      });
      if (had) return undefined;
    }
    return undefined;
  };

  const listen = async () => {
    if (!shows || listening || document.hidden) return;
    const ours = new AbortController();
    listening = ours;
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => ours.abort(), SILENT_MS);
    };
    try {
      await inAPlace(async () => {
        alive();
        const answer = await fetch(`/console/events?shows=${encodeURIComponent(shows)}`, {
          headers: { Accept: "text/event-stream", "X-Live": "1" },
          cache: "no-store",
          redirect: "error",
          signal: ours.signal,
        });
        if (!answer.ok) return;
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        hears = true;
        for (;;) {
          const { value, done } = await reader.read();
          if (done) return;
          alive();
          if (stale.hidden) heard = Date.now();
          if (value.includes("event: changed")) changed();
        }
      });
    } catch {
      // Broken off: asking says whether the server is there.
    } finally {
      clearTimeout(watchdog);
      listening = null;
      if (hears && !document.hidden) askIn(200);
      hears = false;
      setTimeout(listen, AGAIN_MS);
    }
  };

  addEventListener("pagehide", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; });
  addEventListener("pointerdown", () => { pressed = true; });
  addEventListener("pointerup", () => { pressed = false; });
  addEventListener("pointercancel", () => { pressed = false; });
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      if (listening) listening.abort();
    } else {
      ask();
      listen();
    }
  });
  askIn(everyMs);
  listen();
})();
