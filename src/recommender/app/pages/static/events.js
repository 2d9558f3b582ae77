// Tells the server which places of a list were seen and which were clicked, under the list's request_id.

const PAUSE = 400; // milliseconds in which what comes into sight is told at once
const ENOUGH = 0.5; // share of a place that must be in sight

const told = new Set(); // "request movie"
const waiting = new Map(); // list -> ids of movies
let timer;

function report(list, kind, movies) {
  const event = { kind, request_id: list.dataset.request, user_id: list.dataset.user, movie_ids: movies };
  fetch("/api/v1/events", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(event),
    keepalive: true, // also when the click leaves the page
  }).catch(() => {}); // a lost report must not disturb the visitor
}

function tellSeen() {
  for (const [list, movies] of waiting) report(list, "impression", movies);
  waiting.clear();
}

const sight = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      const list = target.closest("[data-request]");
      const key = `${list?.dataset.request} ${target.dataset.movie}`;
      if (!list || told.has(key)) continue;
      told.add(key);
      waiting.set(list, [...(waiting.get(list) || []), target.dataset.movie]);
    }
    clearTimeout(timer);
    timer = setTimeout(tellSeen, PAUSE);
  },
  { threshold: ENOUGH },
);

function watch() {
  document.querySelectorAll("[data-request] [data-movie]").forEach((place) => sight.observe(place));
}

document.addEventListener("click", (event) => {
  const place = event.target.closest("a")?.closest("[data-movie]");
  const list = place?.closest("[data-request]");
  const opens = event.target.closest("a")?.getAttribute("href") === place?.querySelector("a")?.getAttribute("href");
  if (list && opens) report(list, "click", [place.dataset.movie]);
});

document.addEventListener("swapped", watch);
addEventListener("pagehide", tellSeen);
watch();
