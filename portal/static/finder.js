// A list to choose from while a drug or a prescriber is typed. Without this file the
// Find button does the same (an ARIA combobox: arrows, Enter, Escape).
"use strict";
for (const finder of document.querySelectorAll("[data-finder]")) {
  const input = finder.querySelector("input");
  const found = finder.querySelector("[data-found]");
  const list = document.createElement("ul");
  list.id = input.id + "-list";
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Found");
  list.hidden = true;
  input.after(list);
  const is = (name, value) => input.setAttribute("aria-" + name, value);
  input.setAttribute("role", "combobox");
  is("autocomplete", "list");
  is("expanded", "false");
  is("controls", list.id);

  let timer, asked = 0, choices = [], at = -1, filled = {};
  const close = () => {
    list.hidden = true;
    at = -1;
    is("expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (next) => {
    at = (next + choices.length) % choices.length;
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", place === at));
    is("activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const choose = (choice) => {
    const form = input.form;
    input.value = choice.value;
    for (const [name, value] of Object.entries(choice.more)) {
      const other = form.elements[name];
      if (other && (value || other.tagName === "INPUT")) other.value = value;
    }
    filled = choice.more;
    found.textContent = choice.words;
    finder.querySelector(".choices")?.remove();
    close();
  };
  const show = (answer) => {
    choices = answer;
    list.replaceChildren(
      ...choices.map((choice, place) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${place}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.textContent = choice.words;
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          choose(choice);
        });
        return item;
      }),
    );
    if (!choices.length) {
      close();
      found.textContent = "Nothing is known here by this beginning.";
      return;
    }
    at = -1;
    list.hidden = false;
    is("expanded", "true");
    found.textContent = choices.length === 1 ? "1 found" : `${choices.length} found, choose one`;
  };
  const ask = async () => {
    const text = input.value.trim();
    const number = ++asked;
    if (text.length < 2) return close();
    const url = new URL(finder.dataset.finder, location.href);
    url.searchParams.set("text", text);
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      // An answer that came late, or to someone who is signed out, shows nothing.
      if (!answer.ok || answer.redirected || number !== asked) return;
      show((await answer.json()).choices);
    } catch {
      close();
    }
  };
  input.addEventListener("input", () => {
    found.textContent = "";
    finder.querySelector(".choices")?.remove();
    // What the last choice filled in belongs to it: another number, another name.
    for (const [name, value] of Object.entries(filled)) {
      const other = input.form.elements[name];
      if (other?.tagName === "INPUT" && other.value === value) other.value = "";
    }
    filled = {};
    clearTimeout(timer);
    timer = setTimeout(ask, 150);
  });
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at < 0 ? choices.length - 1 : at - 1);
    else if (event.key === "Enter" && at >= 0) choose(choices[at]);
    else if (event.key === "Escape") return close();
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", () => {
    clearTimeout(timer);
    asked++;
    close();
  });
}
