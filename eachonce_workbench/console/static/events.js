// The list of events: only the rows that can be seen are here, whatever their number.
import { follow } from "./page.js";

const root = document.body.dataset.root;
const list = document.getElementById("list");
const table = list.querySelector("table");
const [above, rows, below] = ["above", "rows", "below"].map((name) => list.querySelector(`.${name}`));
const told = document.getElementById("told");
const filter = document.getElementById("filter");
const BEYOND = 10; // rows beside those that can be seen

const rowHeight = parseFloat(getComputedStyle(list).getPropertyValue("--row"));
let state = { view: "", count: 0, last: 0, kept: 0, forgotten: 0, filled: false };
let asking = false;
let drawn = "";

const counted = (count, thing) => `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

function cell(kind, ...content) {
  const made = document.createElement(kind);
  made.append(...content);
  return made;
}

function outcomes(event) {
  const entries = Object.entries(event.outcomes);
  if (event.lost) entries.unshift(["", "lost"]);
  return entries.map(([consumer, outcome]) => {
    const request = event.batches[consumer];
    const mark = cell(request ? "a" : "span", outcome);
    mark.className = "outcome";
    mark.dataset.outcome = outcome;
    mark.title = request ? `${consumer}: whom its batch held` : consumer;
    if (request) mark.href = `${root}events/batch?request=${encodeURIComponent(request)}`;
    return mark;
  });
}

function row(event, place) {
  const made = document.createElement("tr");
  made.dataset.item = "";
  made.setAttribute("aria-rowindex", place + 2);
  const time = cell("time", new Date(event.at * 1000).toISOString().slice(11, 23));
  const link = cell("a", event.id);
  link.href = `${root}story?${event.story}`;
  link.dataset.open = "";
  const copies = event.copies > 1 ? [cell("span", ` ${event.copies} copies`)] : [];
  made.append(cell("td", time), cell("td", event.type), cell("td", event.subject), cell("th", link, ...copies), cell("td", ...outcomes(event)));
  made.querySelector("th").scope = "row";
  return made;
}

// The rows that are to be seen, as they are by now.
function wanted() {
  const start = Math.max(0, Math.floor(list.scrollTop / rowHeight) - BEYOND);
  const count = Math.ceil(list.clientHeight / rowHeight) + 2 * BEYOND;
  return { start, count, whole: `${state.view} ${state.version} ${start} ${count}` };
}

// What is told of the list is told when it is so: whoever hears it may go to its first row at once.
async function draw() {
  if (asking || !state.view) return;
  asking = true;
  try {
    for (let want = wanted(); want.whole !== drawn; want = wanted()) {
      const answer = await fetch(`${root}events/rows?view=${state.view}&start=${want.start}&count=${want.count}`).catch(() => null);
      if (!answer?.ok) return;
      put(await answer.json(), want.start);
      drawn = want.whole;
    }
    tell();
  } finally {
    asking = false;
  }
}

function put(found, start) {
  const focused = document.activeElement?.closest?.("tr")?.querySelector("a[data-open]")?.href;
  rows.replaceChildren(...found.rows.map((event, place) => row(event, start + place)));
  above.style.height = `${start * rowHeight}px`;
  below.style.height = `${Math.max(0, found.total - start - found.rows.length) * rowHeight}px`;
  table.setAttribute("aria-rowcount", found.total + 1);
  if (focused) [...rows.querySelectorAll("a[data-open]")].find((link) => link.href === focused)?.focus({ preventScroll: true });
}

function tell() {
  const gone = state.forgotten ? `; ${counted(state.forgotten, "older event")} not kept` : "";
  if (!state.filled) told.textContent = "Looking…";
  else if (!state.kept) told.textContent = "No event yet: publish one, or send one.";
  else told.textContent = state.count === state.kept ? `${counted(state.count, "event")}${gone}` : `${counted(state.count, "event")} of ${state.kept.toLocaleString("en")}${gone}`;
}

const query = () => new URLSearchParams([...new FormData(filter)].filter(([, value]) => value !== ""));

const following = follow(
  () => `${root}events/stream?${query()}`,
  (news) => {
    // Who has scrolled down goes on to see what they see.
    const more = news.view === state.view ? news.count - state.count : 0;
    if (more > 0 && list.scrollTop > rowHeight) list.scrollTop += more * rowHeight;
    state = news;
    draw();
  },
);

let typed = 0;

function filtered() {
  const chosen = query();
  history.replaceState(null, "", chosen.size ? `?${chosen}` : location.pathname);
  list.scrollTop = 0;
  following.again();
}

filter.addEventListener("submit", (sent) => (sent.preventDefault(), filtered()));
filter.addEventListener("change", filtered);
filter.addEventListener("input", () => (clearTimeout(typed), (typed = setTimeout(filtered, 300))));
list.addEventListener("scroll", () => requestAnimationFrame(draw));
addEventListener("resize", draw);
