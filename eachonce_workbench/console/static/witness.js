// A witness, played: the slider goes through the steps that the page lists, and shows what is there after each.
const player = document.getElementById("player");
const slider = document.getElementById("slider");
const ways = [...(player?.querySelectorAll("[data-way]") ?? [])].map((list) => [...list.children]);
const known = document.getElementById("known");
const MOST_SAID = 160;

// What each step left, in its order: a row or a queue, and the text that says how it is then.
const left = (known ? ways[0] : []).map((item) =>
  [...item.querySelectorAll("dt")].map((where) => ({ where: where.textContent, now: where.nextElementSibling })),
);

function go(number) {
  const most = Number(slider.max);
  const step = Math.min(Math.max(number, 1), most);
  slider.value = step;
  for (const items of ways) {
    items.forEach((item) => item.removeAttribute("aria-current"));
    const here = items[Math.min(step, items.length) - 1];
    here.setAttribute("aria-current", "step");
    show(here);
  }
  const told = ways.map((items) => items[Math.min(step, items.length) - 1].querySelector("p").textContent.slice(0, MOST_SAID));
  slider.setAttribute("aria-valuetext", `step ${step} of ${most}: ${told.join("; the other: ")}`);
  document.getElementById("place").textContent = `${step} of ${most}`;
  if (known) tell(step);
}

// Within its list alone: the page itself stays where its reader is.
function show(item) {
  const list = item.closest(".steps");
  const above = item.offsetTop - list.offsetTop;
  if (above < list.scrollTop || above + item.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = above - list.clientHeight / 3;
  }
}

// What is there after a step: the last that any step up to it said of each row and queue, the newest first.
function tell(step) {
  const then = new Map();
  left.slice(0, step).forEach((each, place) => {
    for (const { where, now } of each) {
      then.delete(where);
      then.set(where, { now, fresh: place === step - 1 });
    }
  });
  known.replaceChildren(
    ...[...then].reverse().flatMap(([where, { now, fresh }]) => {
      const name = document.createElement("dt");
      name.textContent = where;
      if (fresh) name.className = "fresh";
      return [name, now.cloneNode(true)];
    }),
  );
  if (!then.size) known.innerHTML = "<dt>So far</dt><dd>nothing is written, and no queue holds anything</dd>";
}

const anchored = () => Number(/^#step-(\d+)$/.exec(location.hash)?.[1] ?? 0);

if (slider) {
  for (const part of player.querySelectorAll("[hidden]")) part.hidden = false;
  if (known) player.dataset.apart = "";
  slider.addEventListener("input", () => go(Number(slider.value)));
  player.addEventListener("click", (clicked) => {
    const button = clicked.target.closest("[data-by]");
    const item = clicked.target.closest("[data-step]");
    if (button) go(Number(slider.value) + Number(button.dataset.by));
    else if (item) go(Number(item.dataset.step));
  });
  addEventListener("hashchange", () => anchored() && go(anchored()));
  go(anchored() || 1);
}

// Before the page's own keys, by which j and k go through what a page lists.
const KEYS = { j: 1, k: -1, ArrowRight: 1, ArrowLeft: -1 };

addEventListener(
  "keydown",
  (pressed) => {
    if (!slider || !KEYS[pressed.key] || pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    if (document.getElementById("help").open || pressed.target.matches?.("textarea, select, input:not([type=range])")) return;
    pressed.preventDefault();
    pressed.stopImmediatePropagation();
    go(Number(slider.value) + KEYS[pressed.key]);
  },
  true,
);

// A form that takes its time says so.
addEventListener("submit", (sent) => {
  const said = sent.target.dataset.waits;
  if (!said) return;
  sent.target.querySelector("[role=status]").textContent = said;
  sent.submitter.disabled = true;
});
