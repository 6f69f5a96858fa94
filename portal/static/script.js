// Every page works without this file. It only saves a busy person a moment.
"use strict";
const all = (selector, act) => document.querySelectorAll(selector).forEach(act);

// Browsers that ignore autofocus on a <div>.
document.querySelector(".error-summary")?.focus();

// A form is sent once; a slow upload says that it is working.
all("form[method=post]:not([data-download])", (form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (!button?.dataset.busy) return;
    button.dataset.words = button.textContent;
    button.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
    button.setAttribute("aria-live", "polite");
  });
});
addEventListener("pageshow", () => {
  all("form[data-sent]", (form) => delete form.dataset.sent);
  all("[data-words]", (button) => {
    button.textContent = button.dataset.words;
    button.removeAttribute("aria-disabled");
  });
});

// 04281971 becomes 04/28/1971 while it is typed.
all("input[data-date]", (input) => {
  input.addEventListener("input", (event) => {
    if (event.inputType !== "insertText") return;
    const typed = input.value.replace("//", "/");
    input.value = /^(\d\d|\d\d\/\d\d)$/.test(typed) ? typed + "/" : typed;
  });
});

// What is wrong is typed over; a suggestion goes into its field in place, and Enter
// then saves.
document.querySelector(".correction [autofocus]")?.select();
all("button[data-fill]", (button) => {
  const input = document.getElementById(button.dataset.fill);
  button.addEventListener("click", (event) => {
    event.preventDefault();
    input.value = button.dataset.value;
    input.focus();
  });
});

all("button[data-show]", (button) => {
  const input = document.getElementById(button.dataset.show);
  button.hidden = false;
  button.addEventListener("click", () => {
    const hide = input.type === "text";
    input.type = hide ? "password" : "text";
    button.firstChild.textContent = hide ? "Show" : "Hide";
  });
});

all("button[data-print]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});

// Two minutes before the session ends: a dialog, one key to go on. The pages of
// one browser share the time, and it leaves the screen empty when it is over.
const dialog = document.getElementById("time-out");
if (dialog) {
  const key = "session-ends";
  const extend = () =>
    localStorage.setItem(key, Date.now() + document.body.dataset.seconds * 1000);
  extend();
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
    });
    delete form.dataset.sent;
    if (!answer.ok || answer.redirected) return location.replace(document.body.dataset.expired);
    document.body.dataset.seconds = (await answer.json()).seconds;
    extend();
    dialog.close();
  });
  setInterval(() => {
    const left = Math.round((localStorage.getItem(key) - Date.now()) / 1000);
    if (left <= 0) return location.replace(document.body.dataset.expired);
    if (left > 120 && dialog.open) dialog.close();
    if (left <= 120 && !dialog.open) dialog.showModal();
    const words = left > 60 ? `${Math.ceil(left / 60)} minutes` : `${left} seconds`;
    const shown = dialog.querySelector("[data-left]");
    if (shown.textContent !== words) shown.textContent = words;
  }, 1000);
}
