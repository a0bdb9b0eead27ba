// What makes the console's pages handier; all of them are complete without it.
(() => {
  "use strict";

  for (const button of document.querySelectorAll("button[data-copy]")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    });
  }

  // Menus: one at a time; a click elsewhere or Escape closes them.
  const menus = [...document.querySelectorAll("details.menu")];
  const closeOthers = (kept) => {
    for (const menu of menus) if (menu !== kept) menu.open = false;
  };
  for (const menu of menus) {
    menu.addEventListener("toggle", () => { if (menu.open) closeOthers(menu); });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
    });
  }
  document.addEventListener("click", (event) => {
    closeOthers(event.target.closest("details.menu"));
  });

  // "/" goes to the search, as on many sites.
  document.addEventListener("keydown", (event) => {
    const field = document.getElementById("find");
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || !field) return;
    event.preventDefault();
    field.focus();
  });
})();
