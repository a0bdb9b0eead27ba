// Writes times in the operator's zone: the one that the page names, else the browser's own, which it
// tells the server in a cookie: days and filters are then of the same. Without it they stay as the
// server wrote them: UTC. UTC stays to be seen when one points at a time.
(() => {
  "use strict";

  const named = document.body.dataset.zone;
  const zone = named || Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  let format;
  try {
    // As ISO 8601 has it, whatever the browser's language.
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone, dateStyle: "short", timeStyle: "medium",
    });
  } catch {
    return; // A zone that this browser does not know.
  }
  if (!named) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `cpo_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  const write = () => {
    for (const one of document.querySelectorAll("time[datetime]")) {
      const at = new Date(one.getAttribute("datetime"));
      if (Number.isNaN(at.getTime())) continue;
      const utc = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
      const here = format.format(at);
      if (one.classList.contains("when")) {
        if (one.textContent !== here) one.textContent = here;
        one.title = utc;
      } else {
        one.title = `${here}, ${utc}`;
      }
    }
    const said = document.getElementById("zone");
    if (said) said.textContent = zone;
  };

  write();
  document.addEventListener("console:renewed", write);
})();
