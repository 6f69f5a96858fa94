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

// 04281971 becomes 04/28/1971 while it is typed; 1971-04-28 and 12 Apr 1971 stay.
all("input[data-date]", (input) => {
  input.addEventListener("input", (event) => {
    if (event.inputType !== "insertText") return;
    const typed = input.value.replace("//", "/").replace(/\/(?=[^\d/])/, "");
    input.value = /^(0[1-9]|1[0-2])(\/\d\d)?$/.test(typed) ? typed + "/" : typed;
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

// Files may be dropped around their picker; what was chosen is listed before it is sent.
all("[data-drop]", (place) => {
  const input = place.querySelector("input[type=file]");
  const chosen = place.querySelector("[data-chosen]");
  const { mostEach, most, mostFiles } = place.dataset;
  const megabyte = 1024 * 1024;
  const line = (words, wrong) => {
    const item = document.createElement("li");
    item.textContent = words;
    if (wrong) item.className = "error";
    return item;
  };
  place.querySelector("[data-drop-hint]").hidden = false;
  const show = () => {
    const files = [...input.files];
    const together = files.reduce((sum, file) => sum + file.size, 0);
    const list = document.createElement("ul");
    for (const { name, size } of files) {
      const large = size > mostEach * megabyte;
      const kilobytes = Math.ceil(size / 1024);
      const words = !size ? "empty" : kilobytes < 1024 ? `${kilobytes} kB` : `${(size / megabyte).toFixed(1)} MB`;
      list.append(line(`${name}: ${words}${large ? `, more than ${mostEach} MB` : ""}`, large || !size));
    }
    if (together > most * megabyte) list.append(line(`Together more than ${most} MB: choose fewer files`, true));
    if (files.length > mostFiles) list.append(line(`More than ${mostFiles} files: choose fewer`, true));
    chosen.replaceChildren(list);
    input.setCustomValidity(together > most * megabyte || files.length > mostFiles ? "too much" : "");
  };
  input.addEventListener("change", show);
  input.form.addEventListener("submit", (event) => {
    if (!input.validity.customError) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    input.focus();
  }, true);
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  for (const left of ["dragleave", "drop"]) place.addEventListener(left, () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
  });
});

// What is unfinished is asked for again and its parts are renewed in place; without this
// file the page loads itself again (Refresh), which stop() ends.
const live = document.querySelector("[data-live]");
if (live?.dataset.live) {
  const { then, every } = live.dataset;
  const again = () => setTimeout(look, every * 1000);
  const look = async () => {
    if (document.hidden) return again();
    const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return again();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (!fresh) return location.reload();
    all("[data-part]", (part) => {
      const now = page.querySelector(`[data-part="${part.dataset.part}"]`);
      if (now && now.innerHTML !== part.innerHTML) part.innerHTML = now.innerHTML;
    });
    if (fresh.dataset.live) return again();
    if (then) location.replace(then);
  };
  addEventListener("load", () => {
    stop();
    again();
  });
}

all("button[data-print]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});

// One key for one tick, where a page offers keys; who does not want them switches them off.
const keys = document.querySelector("[data-keys]");
if (keys) {
  const on = keys.querySelector("[data-keys-on]");
  keys.hidden = false;
  on.checked = localStorage.getItem("keys") !== "off";
  on.addEventListener("change", () => localStorage.setItem("keys", on.checked ? "on" : "off"));
  const ticks = document.querySelectorAll(".keyed .choice input");
  addEventListener("keydown", (event) => {
    const { key, ctrlKey, altKey, metaKey, target } = event;
    const typing = target.matches("select, textarea, input:not([type=radio], [type=checkbox])");
    if (!on.checked || typing || ctrlKey || altKey || metaKey) return;
    const meant = document.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? ticks[key - 1];
    if (!meant) return;
    event.preventDefault();
    meant.focus();
    meant.click();
  });
}

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

// An opened group of the menu closes when work goes on elsewhere.
const groups = document.querySelectorAll(".bar .group");
addEventListener("click", (event) => {
  for (const group of groups) if (!group.contains(event.target)) group.open = false;
});
addEventListener("keydown", (event) => {
  const group = event.key === "Escape" && document.querySelector(".bar .group[open]");
  if (!group) return;
  group.open = false;
  group.querySelector("summary").focus();
});
