// What every page does: keys, light and dark, what is live, and what is said when the connection is lost.
const root = document.body.dataset.root;
const REFRESH_MS = 1000;
const AGAIN_MS = 2000;

// Light and dark.

function toggleTheme() {
  const page = document.documentElement;
  const dark = page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  page.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", page.dataset.theme);
}

// The connection: lost, it is looked for until it is there again.

const connection = document.getElementById("connection");

export function say(state) {
  connection.dataset.state = state;
  connection.textContent = { lost: "Connection lost; trying again…", away: "This console has ended. Open the address of the new one." }[state] ?? "";
}

// Follows server-sent events at `address`; gets another connection when one ends, with the address as it is by then.
export function follow(address, told) {
  let source = null;
  let timer = 0;
  const open = () => {
    source = new EventSource(address());
    source.onmessage = (message) => {
      say("there");
      told(JSON.parse(message.data));
    };
    source.onerror = () => {
      source.close();
      say("lost");
      clearTimeout(timer);
      timer = setTimeout(async () => {
        const answer = await fetch(`${root}static/icon.svg`).catch(() => null);
        if (answer?.status === 403) say("away");
        open();
      }, AGAIN_MS);
    };
  };
  const close = () => {
    clearTimeout(timer);
    source.close();
  };
  open();
  return { again: () => (close(), open()), close };
}

// What is live: those parts of the page that are marked so are fetched anew, and put in where they have changed.

const shown = new Map();
let refreshing = false;
let wanted = false;

export async function refresh() {
  if (refreshing) {
    wanted = true;
    return;
  }
  refreshing = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html", "x-refresh": "1" } });
    if (!answer.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live], [data-live-too]")) {
      const fresh = next.getElementById(part.id);
      if (fresh && shown.get(part.id) !== fresh.innerHTML) {
        shown.set(part.id, fresh.innerHTML);
        exchange(part, fresh);
      }
    }
  } catch {
    say("lost");
  } finally {
    refreshing = false;
    setTimeout(() => wanted && ((wanted = false), refresh()), REFRESH_MS);
  }
}

// Puts in what is new, and leaves what a person has done to it: ticked, opened, scrolled, or stands on.
function exchange(part, fresh) {
  const ticked = new Set([...part.querySelectorAll("input:checked")].map((input) => input.value));
  const opened = new Set([...part.querySelectorAll("details[open][id]")].map((each) => each.id));
  const scrolled = [...part.querySelectorAll("[tabindex='0']")].map((each) => [each.scrollLeft, each.scrollTop]);
  const focused = [...part.querySelectorAll("a, button, input, summary, [tabindex]")].indexOf(document.activeElement);
  part.replaceChildren(...fresh.childNodes);
  for (const input of part.querySelectorAll("input[type=checkbox], input[type=radio]")) input.checked = ticked.has(input.value);
  for (const each of part.querySelectorAll("details[id]")) each.open = opened.has(each.id);
  part.querySelectorAll("[tabindex='0']").forEach((each, place) => each.scrollTo(...(scrolled[place] ?? [0, 0])));
  if (focused >= 0) part.querySelectorAll("a, button, input, summary, [tabindex]")[focused]?.focus({ preventScroll: true });
}

// Keys.

const visible = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.offsetParent !== null);

function step(by) {
  const items = visible("[data-item]");
  const here = items.findIndex((each) => each.contains(document.activeElement));
  const next = items[Math.min(Math.max(here + by, 0), items.length - 1)];
  if (!next) return;
  const stop = next.querySelector("a[data-open], input, button, a") ?? next;
  if (stop === next) next.tabIndex = -1;
  stop.focus();
  next.scrollIntoView({ block: "nearest" });
}

const help = document.getElementById("help");

const keys = {
  "/": () => visible("[data-search]")[0]?.focus(),
  "?": () => help.showModal(),
  j: () => step(1),
  k: () => step(-1),
  t: toggleTheme,
};

addEventListener("keydown", (pressed) => {
  const at = pressed.target;
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || help.open) return;
  if (at.matches?.("input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select")) {
    if (pressed.key === "Escape") {
      pressed.preventDefault(); // by itself it empties a search field, and so the list that was just searched
      at.blur();
    }
    return;
  }
  const screen = document.querySelector(`nav a[data-key="${CSS.escape(pressed.key)}"]`);
  if (screen) screen.click();
  else if (keys[pressed.key]) keys[pressed.key]();
  else return;
  pressed.preventDefault();
});

document.getElementById("theme").addEventListener("click", toggleTheme);
document.getElementById("keys").addEventListener("click", () => help.showModal());

// Buttons that copy a command, forms that ask before they do what can't be undone, and boxes that tick others.

addEventListener("click", async (clicked) => {
  const button = clicked.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "Copied";
});

addEventListener("submit", (sent) => {
  const question = sent.submitter?.dataset.ask;
  if (question && !confirm(question)) sent.preventDefault();
});

addEventListener("change", (changed) => {
  const group = changed.target.dataset?.ticks;
  if (group === undefined) return;
  for (const box of document.querySelectorAll(`input[data-group="${CSS.escape(group)}"]`)) box.checked = changed.target.checked;
});

if (document.querySelector("[data-live]")) follow(() => `${root}stream`, refresh);
