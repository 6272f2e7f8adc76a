/** The weekly editor of opening hours. */

import { element, iconButton } from "/page/dom.js";
import { locale, words } from "../../words.js";
import { DAYS, readWeek, writeWeek } from "./week.js";

const A_MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;
const USUAL = ["mon-fri 09:00-18:00"];
const NEW_SPAN = ["09:00", "18:00"];

const t = words({
  zh: {
    always: "每天二十四小时",
    scheduled: "按时间表",
    closed: "休息",
    from: (day) => `${day}，从`,
    to: (day) => `${day}，到`,
    add: (day) => `${day}：加一段时间`,
    drop: (day, start, end) => `${day}：去掉 ${start}–${end}`,
    copy: (day) => `${day}：和前一天一样`,
    empty: "时间表是空的：请至少加一段时间，或选“每天二十四小时”",
    backwards: (day) => `${day}：结束要晚于开始；跨过午夜的，请分成两段`,
    incomplete: (day) => `${day}：请把时间填完整`,
  },
  en: {
    always: "Around the clock",
    scheduled: "By a timetable",
    closed: "Closed",
    from: (day) => `${day}, from`,
    to: (day) => `${day}, to`,
    add: (day) => `${day}: add a span`,
    drop: (day, start, end) => `${day}: remove ${start}–${end}`,
    copy: (day) => `${day}: like the day before`,
    empty: "The timetable is empty: add a span, or choose “around the clock”",
    backwards: (day) => `${day}: it must end after it begins; write one past midnight as two`,
    incomplete: (day) => `${day}: a time is missing`,
  },
});

const NAMES = DAYS.map((_, at) => new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(A_MONDAY + at * DAY_MS));

/** Make the control; its value is a list such as ["mon-fri 09:00-18:00"], an empty one means always. */
export function hours(value) {
  let week;
  const [always, scheduled] = [t.always, t.scheduled].map(radio);
  const days = element("div", { class: "week" });
  const node = element("div", { class: "hours" }, always.node, scheduled.node, days);
  const control = { node, focus: always.box, isGroup: true, read, write, check };
  for (const { box } of [always, scheduled]) box.addEventListener("change", choose);
  write(value);
  return control;

  function read() {
    return always.box.checked ? [] : writeWeek(week);
  }

  function write(texts) {
    week = readWeek(texts);
    always.box.checked = texts.length === 0;
    scheduled.box.checked = texts.length > 0;
    draw();
  }

  function check() {
    if (always.box.checked) return null;
    if (week.every((spans) => spans.length === 0)) return t.empty;
    for (const [at, spans] of week.entries()) {
      if (spans.some(([start, end]) => !start || !end)) return t.incomplete(NAMES[at]);
      if (spans.some(([start, end]) => start >= end)) return t.backwards(NAMES[at]);
    }
    return null;
  }

  function choose() {
    if (scheduled.box.checked && week.every((spans) => spans.length === 0)) week = readWeek(USUAL);
    draw();
  }

  function changed(at, focus) {
    draw();
    days.children[at].querySelector(focus)?.focus();
    node.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    days.hidden = always.box.checked;
    days.replaceChildren(...week.map((spans, at) => dayRow(at, spans)));
  }

  function dayRow(at, spans) {
    const add = iconButton("plus", t.add(NAMES[at]), {
      click: () => {
        spans.push([...NEW_SPAN]);
        changed(at, ".span:last-child input");
      },
    });
    const copy = iconButton("duplicate", t.copy(NAMES[at]), {
      class: "icon-button copy",
      click: () => {
        week[at] = week[at - 1].map((span) => [...span]);
        changed(at, ".copy");
      },
    });
    const rows = spans.map((span, place) => spanRow(at, span, place));
    return element(
      "div",
      { class: "week-day" },
      element("span", { class: "week-name" }, NAMES[at]),
      element("div", { class: "spans" }, ...(rows.length > 0 ? rows : [element("span", { class: "quiet" }, t.closed)])),
      element("span", { class: "week-tools" }, add, at > 0 ? copy : null),
    );
  }

  function spanRow(at, span, place) {
    const boxes = [t.from, t.to].map((label, end) => {
      const box = element("input", { type: "time", class: "input", value: span[end], "aria-label": label(NAMES[at]) });
      box.addEventListener("input", () => (span[end] = box.value));
      return box;
    });
    const drop = iconButton("close", t.drop(NAMES[at], ...span), {
      click: () => {
        week[at].splice(place, 1);
        changed(at, "button");
      },
    });
    return element("span", { class: "span" }, boxes[0], "–", boxes[1], drop);
  }
}

let groups = 0;

function radio(label, at) {
  if (at === 0) groups += 1;
  const box = element("input", { type: "radio", name: `hours-${groups}` });
  return { box, node: element("label", { class: "check" }, box, element("span", {}, label)) };
}
