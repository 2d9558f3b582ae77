// Forms and links that name parts of the page in data-swap change those parts in place: the server's next page is
// fetched, and the parts of that id are taken from it. Without this script the same forms and links load the page.

const parts = (names) => names.split(" ").filter(Boolean);

function swap(text, names) {
  const next = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement;
  const place = focused && focused.closest("[id]") ? focused.closest("[id]").id : "";
  const label = focused ? focused.getAttribute("aria-label") : null;
  for (const name of names) {
    const old = document.getElementById(name);
    const fresh = next.getElementById(name);
    if (old && fresh) {
      const open = [...old.querySelectorAll("details")].map((details) => details.open);
      old.replaceChildren(...document.adoptNode(fresh).childNodes);
      old.querySelectorAll("details").forEach((details, index) => (details.open = open[index] || details.open));
    }
  }
  keepFocus(focused, place, label);
  document.dispatchEvent(new CustomEvent("swapped"));
}

// Focus goes to the same control of the new part; where that is gone, to the notice, which says what happened.
function keepFocus(focused, place, label) {
  if (!focused || focused === document.body || focused.isConnected) return;
  const same = place && document.getElementById(place);
  const control = same && label ? same.querySelector(`[aria-label="${CSS.escape(label)}"]`) : same;
  (control || document.querySelector("#notices button") || document.getElementById("main")).focus({
    preventScroll: true,
  });
}

function tell(sentence) {
  const paragraph = document.createElement("p");
  paragraph.textContent = sentence;
  const notice = document.createElement("div");
  notice.className = "notice";
  notice.append(paragraph);
  document.getElementById("notices").replaceChildren(notice);
}

function problemOf(text) {
  const sentence = new DOMParser().parseFromString(text, "text/html").getElementById("problem-sentence");
  return sentence ? sentence.textContent : "The server did not answer as expected.";
}

async function load(address, options, names) {
  names.forEach((name) => document.getElementById(name)?.setAttribute("aria-busy", "true"));
  try {
    const response = await fetch(address, options);
    const text = await response.text();
    if (response.ok) swap(text, names);
    else tell(problemOf(text));
    return response.ok ? response.url : null;
  } catch {
    tell("The server cannot be reached.");
    return null;
  } finally {
    names.forEach((name) => document.getElementById(name)?.removeAttribute("aria-busy"));
  }
}

function request(form, submitter) {
  const fields = new URLSearchParams(new FormData(form, submitter));
  return form.method === "get" ? [`${form.getAttribute("action")}?${fields}`, {}] : [form.getAttribute("action"), { method: "post", body: fields }];
}

// One request of a form at a time; what is changed meanwhile is sent after it, once.
const underWay = new WeakMap();

async function send(form, submitter) {
  if (underWay.has(form)) {
    underWay.set(form, true);
    return;
  }
  underWay.set(form, false);
  const address = await load(...request(form, submitter), parts(form.dataset.swap));
  const again = underWay.get(form);
  underWay.delete(form);
  if (address && form.dataset.atOnce !== undefined) history.replaceState(null, "", address);
  if (again && form.isConnected) await send(form);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.swap) return;
  event.preventDefault();
  send(form, event.submitter);
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.dataset.atOnce !== undefined && event.target.type === "checkbox") send(form);
});

let typing;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.dataset.whileTyping === undefined) return;
  clearTimeout(typing);
  typing = setTimeout(() => send(form), 150);
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const address = await load(link.href, {}, parts(link.dataset.swap));
  if (address) history.replaceState(null, "", address);
});

// Buttons that only matter without this script.
document.documentElement.dataset.scripts = "on";
