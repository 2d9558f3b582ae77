// Five stars are one stop of the Tab key; the arrow keys move among them, Enter or Space gives the rating.

const MOVES = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

function prepare() {
  for (const form of document.querySelectorAll("form[data-stars]")) {
    const buttons = [...form.querySelectorAll("button")];
    const given = buttons.filter((button) => button.getAttribute("aria-pressed") === "true")[0] || buttons[0];
    for (const button of buttons) button.tabIndex = button === given ? 0 : -1;
  }
}

document.addEventListener("keydown", (event) => {
  const button = event.target.closest("form[data-stars] button");
  if (!button || !(event.key in MOVES)) return;
  event.preventDefault();
  const buttons = [...button.form.querySelectorAll("button")];
  const next = buttons[buttons.indexOf(button) + MOVES[event.key]];
  if (!next) return;
  button.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

document.addEventListener("swapped", prepare);
prepare();
