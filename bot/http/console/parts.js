/** The small pieces that pages are made of. */

import { copyText } from "/page/clipboard.js";
import { element, icon } from "/page/dom.js";
import { renderMarkdown } from "/page/markdown.js";
import { explain } from "./problems.js";
import { locale, words } from "./words.js";

const t = words({
  zh: {
    loading: "正在加载…",
    failed: "这里没能加载出来",
    retry: "重试",
    copy: "复制",
    copied: "已复制",
    never: "从未",
    now: "刚刚",
  },
  en: {
    loading: "Loading…",
    failed: "This could not be loaded",
    retry: "Try again",
    copy: "Copy",
    copied: "Copied",
    never: "Never",
    now: "Just now",
  },
});

/** Make a button; `kind` is "primary", "quiet", "danger" or nothing. `onClick` may be async: it is busy meanwhile. */
export function button(label, onClick, { kind = "", icon: drawing = null, type = "button", ...attributes } = {}) {
  const node = element(
    "button",
    { type, class: `button ${kind}`.trim(), ...attributes },
    drawing && icon(drawing),
    label,
  );
  if (onClick) node.addEventListener("click", (event) => whileBusy(node, () => onClick(event)));
  return node;
}

/** Keep a button from being pressed again while `work` goes on. */
export async function whileBusy(node, work) {
  if (node.getAttribute("aria-disabled") === "true") return;
  const working = work();
  if (!(working instanceof Promise)) return;
  node.setAttribute("aria-disabled", "true"); // `disabled` would take the focus away
  node.classList.add("busy");
  try {
    await working;
  } finally {
    node.removeAttribute("aria-disabled");
    node.classList.remove("busy");
  }
}

/** Make a link that looks like a button. */
export function linkButton(label, address, { kind = "", icon: drawing = null } = {}) {
  return element("a", { class: `button ${kind}`.trim(), href: address }, drawing && icon(drawing), label);
}

/** Make a button that copies `text` and says so. */
export function copyButton(text) {
  const said = element("span", { "aria-live": "polite" }, t.copy);
  const node = button(
    said,
    async () => {
      await copyText(text, node);
      said.textContent = t.copied;
      setTimeout(() => (said.textContent = t.copy), 2_000);
    },
    { icon: "copy" },
  );
  return node;
}

/** Make the top of a page: its title, a sentence on what it is for, and what can be done. */
export function pageHead(title, sentence, ...actions) {
  const heading = element("h1", { tabindex: "-1" }, title);
  const text = element("div", { class: "page-title" }, heading, sentence && element("p", {}, sentence));
  return element(
    "header",
    { class: "page-head" },
    text,
    actions.length > 0 ? element("div", { class: "actions" }, ...actions) : null,
  );
}

/** Make a framed part of a page, with or without a title. */
export function card(title, ...children) {
  return element("section", { class: "card" }, title && element("h2", {}, title), ...children);
}

/** Make a small word with a colour: "good", "info", "warn", "bad", "violet", "accent" or nothing. */
export function badge(text, colour = "") {
  return element("span", { class: `badge ${colour}`.trim() }, text);
}

/** Make links between the parts of one page: items are {label, address, current, count?}. */
export function tabs(label, items) {
  const links = items.map((item) =>
    element(
      "a",
      { href: item.address, "aria-current": item.current ? "page" : null },
      item.label,
      item.count === undefined ? null : element("span", { class: "count" }, String(item.count)),
    ),
  );
  return element("nav", { class: "tabs", "aria-label": label }, ...links);
}

/** Say that there is nothing yet, what would be here, and how to begin. */
export function emptyState(drawing, title, sentence, ...actions) {
  return element(
    "div",
    { class: "empty" },
    element("span", { class: "empty-icon" }, icon(drawing)),
    element("h2", {}, title),
    element("p", {}, sentence),
    actions.length > 0 ? element("div", { class: "actions" }, ...actions) : null,
  );
}

/** Stand in for what is being loaded. */
export function skeleton(lines = 6) {
  const bars = Array.from({ length: lines }, () => element("i"));
  return element(
    "div",
    { class: "skeleton", role: "status" },
    element("span", { class: "visually-hidden" }, t.loading),
    ...bars,
  );
}

/** Say what went wrong, with a way to try again. */
export function errorPanel(error, retry) {
  return element(
    "div",
    { class: "empty failed", role: "alert" },
    element("span", { class: "empty-icon" }, icon("warning")),
    element("h2", {}, t.failed),
    element("p", {}, explain(error)),
    error.requestId ? element("p", { class: "quiet" }, error.requestId) : null,
    element("div", { class: "actions" }, button(t.retry, retry, { icon: "retry" })),
  );
}

/** Fill `area` with what `draw` makes of the loaded: a skeleton until then, an error with a retry if it fails. */
export async function fill(area, load, draw) {
  const loading = (area.loading = Symbol("loading"));
  area.setAttribute("aria-busy", "true");
  if (area.childElementCount === 0) area.replaceChildren(skeleton());
  let content;
  try {
    content = [draw(await load())].flat();
  } catch (error) {
    content = [errorPanel(error, () => fill(area, load, draw))];
  }
  if (area.loading !== loading) return; // something newer is wanted here
  const hadFocus = area.contains(document.activeElement);
  area.removeAttribute("aria-busy");
  area.replaceChildren(...content);
  if (!hadFocus) return;
  area.tabIndex = -1; // or those who use the keyboard would start over at the top of the page
  area.focus({ preventScroll: true });
}

/** Show how far something is, from 0 to 1; `bar.set(part)` moves it. */
export function progressBar(label) {
  const done = element("i");
  const bar = element(
    "div",
    { class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 },
    done,
  );
  bar.set = (part) => {
    const percent = Math.round(part * 100);
    bar.setAttribute("aria-valuenow", percent);
    done.style.width = `${percent}%`;
  };
  bar.set(0);
  return bar;
}

const ABSOLUTE = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat(locale, { timeStyle: "short", hourCycle: "h23" });
const RELATIVE = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const STEPS = [
  ["minute", 60],
  ["hour", 3_600],
  ["day", 86_400],
];
const A_WEEK = 7 * 86_400;

/** A coloured dot, and what it means. */
export function light(colour, said) {
  return element("span", { class: "light" }, element("i", { class: colour, "aria-hidden": "true" }), said);
}

/** Show a moment as "3 minutes ago", and exactly when pointed at; older than a week as its day. */
export function time(moment) {
  if (!moment) return element("span", { class: "quiet" }, t.never);
  const date = new Date(moment);
  return element("time", { datetime: date.toISOString(), title: ABSOLUTE.format(date) }, relative(date));
}

function relative(date) {
  const seconds = (date.getTime() - Date.now()) / 1_000;
  const age = Math.abs(seconds);
  if (age >= A_WEEK) return DAY.format(date);
  if (age < 60) return t.now;
  const [unit, size] = STEPS.findLast(([, length]) => age >= length);
  return RELATIVE.format(Math.round(seconds / size), unit);
}

/** Show a moment by the clock: of today the time alone, else with its day; exactly when pointed at. */
export function clockTime(moment) {
  const date = new Date(moment);
  const isToday = date.toDateString() === new Date().toDateString();
  const shown = isToday ? CLOCK.format(date) : `${DAY.format(date)} ${CLOCK.format(date)}`;
  return element("time", { datetime: date.toISOString(), title: ABSOLUTE.format(date) }, shown);
}

/** Show an exact moment. */
export function exactTime(moment) {
  const date = new Date(moment);
  return element("time", { datetime: date.toISOString() }, ABSOLUTE.format(date));
}

/** Show text written in Markdown as a customer sees it. */
export function markdown(text) {
  return element("div", { class: "prose" }, renderMarkdown(text));
}
