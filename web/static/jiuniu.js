/* Every page works without this file. With it, drafts save themselves and an application survives a closed page. */
"use strict";

(() => {
  const PAUSE = 2000, AGAIN = 15000; // milliseconds: after the last key, after a failure

  const typed = (form) => new URLSearchParams(new FormData(form)).toString();

  /* A form behind a personal link: what is typed goes to the server as a draft. */
  function saveAsOneTypes(form) {
    const line = form.querySelector("[data-draft-line]");
    const address = form.getAttribute("action") || location.href; // form.action would be the button of that name
    let saved = typed(form), timer = 0, busy = false, left = false;

    function later(wait) {
      clearTimeout(timer);
      timer = setTimeout(save, wait);
    }

    async function save() {
      const now = typed(form);
      if (busy || left || now === saved) return;
      busy = true;
      let wait = PAUSE;
      try {
        const body = new FormData(form);
        body.set("action", "save");
        const answer = await fetch(address, { method: "POST", body, headers: { Accept: "text/plain" } });
        if (answer.status === 429 || answer.status >= 500) throw new Error("try again");
        line.textContent = await answer.text();
        saved = now; // also when it was refused: the same text would be refused again
      } catch {
        if (!left) line.textContent = line.dataset.failed;
        wait = AGAIN;
      }
      busy = false;
      if (typed(form) !== saved) later(wait);
    }

    form.addEventListener("input", () => later(PAUSE));
    form.addEventListener("submit", () => { left = true; });
    addEventListener("pageshow", () => { left = false; });
    document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  }

  /* The application: nobody is known yet, so this tab alone remembers, until it is closed or the form was sent. */
  function rememberInThisTab(form) {
    const name = form.dataset.remember;
    const fields = [...form.elements].filter((field) => field.name && field.type !== "hidden" && field.tabIndex >= 0);
    const untouched = fields.every((field) => (field.type === "checkbox" ? !field.checked : !field.value));
    const kept = JSON.parse(sessionStorage.getItem(name) || "{}");
    if (untouched) {
      for (const field of fields.filter((one) => one.name in kept)) {
        if (field.type === "checkbox") field.checked = kept[field.name];
        else field.value = kept[field.name];
      }
    }
    form.querySelectorAll("[data-with-script]").forEach((note) => { note.hidden = false; });
    form.addEventListener("input", () => {
      const now = fields.map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value]);
      sessionStorage.setItem(name, JSON.stringify(Object.fromEntries(now)));
    });
  }

  document.querySelectorAll("form[data-draft]").forEach(saveAsOneTypes);
  try {
    document.querySelectorAll("[data-forget]").forEach((page) => sessionStorage.removeItem(page.dataset.forget));
    document.querySelectorAll("form[data-remember]").forEach(rememberInThisTab);
  } catch { /* a browser that keeps nothing for anybody */ }
})();

/* Texts for the chat group: one tap copies. Where a browser keeps the clipboard to itself, the text stands selected. */
document.querySelectorAll("[data-copy]").forEach((button) => {
  const text = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      if (!document.execCommand("copy")) return;
    }
    button.nextElementSibling.textContent = button.dataset.copied;
  });
});
