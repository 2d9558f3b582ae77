// Suggestions below the search field while the visitor types: a combobox whose options the server renders.

const form = document.querySelector("form[data-suggest]");
const field = form.querySelector("input[type=search]");
const list = form.querySelector("[role=listbox]");
const PAUSE = 120; // milliseconds after the last key

let timer;
let latest = 0;

const options = () => [...list.querySelectorAll("[role=option]")];
const selected = () => list.querySelector("[aria-selected=true]");

function show(visible) {
  list.hidden = !visible;
  field.setAttribute("aria-expanded", String(visible));
  if (!visible) field.removeAttribute("aria-activedescendant");
}

function select(option) {
  selected()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

async function suggest() {
  const number = ++latest;
  const typed = field.value.trim();
  if (!typed) return show(false);
  try {
    const response = await fetch(`${form.dataset.suggest}?${new URLSearchParams({ q: typed })}`);
    if (!response.ok || number !== latest) return;
    const found = new DOMParser().parseFromString(await response.text(), "text/html").body;
    if (number !== latest) return;
    list.replaceChildren(...document.adoptNode(found).childNodes);
    show(options().length > 0);
  } catch {
    show(false); // the field still searches
  }
}

function move(step) {
  const all = options();
  const place = all.indexOf(selected()) + step;
  select(place < 0 || place >= all.length ? null : all[place]);
}

field.setAttribute("role", "combobox");
field.setAttribute("aria-autocomplete", "list");
field.setAttribute("aria-controls", list.id);
field.setAttribute("aria-expanded", "false");

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(suggest, PAUSE);
});

field.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !list.hidden) {
    event.preventDefault();
    show(false);
  } else if (!list.hidden && event.key === "ArrowDown") {
    event.preventDefault();
    move(1);
  } else if (!list.hidden && event.key === "ArrowUp") {
    event.preventDefault();
    if (selected()) move(-1);
    else select(options().at(-1));
  } else if (!list.hidden && event.key === "Enter" && selected()) {
    event.preventDefault();
    location.assign(selected().href);
  }
});

form.addEventListener("focusout", (event) => {
  if (!form.contains(event.relatedTarget)) show(false);
});
