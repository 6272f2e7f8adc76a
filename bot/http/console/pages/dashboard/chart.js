/** A chart over days as SVG: a sentence for those who cannot see it, each day's numbers on pointing or by the keyboard, a table. */

import { element } from "/page/dom.js";
import { button } from "../../parts.js";
import { table } from "../../table.js";
import { drawChart, plotWidth } from "./drawing.js";
import { dayName, t } from "./words.js";

/**
 * Make a chart. `series` are {name (its CSS class), label, of(day), isQuiet?}: quiet ones stand among the numbers only;
 * `shape` is "bars" (on top of each other) or "lines"; `format(value)` writes a number; `summary` says what is seen.
 */
export function chart({ title, summary, shape, days, series, format }) {
  const drawn = series.filter((each) => !each.isQuiet);
  const readout = element("div", { class: "readout", "aria-hidden": "true" });
  const cursor = element("div", { class: "cursor", role: "slider", tabindex: 0, "aria-label": t.pointAt(title) });
  const plot = element("div", { class: "plot" }, cursor, readout);
  const numbers = element("div", { class: "chart-table" });
  const toggle = button(t.asTable, showNumbers, { kind: "quiet", "aria-expanded": "false" });
  const figure = element("figure", { class: "chart-figure" }, plot, element("div", { class: "chart-foot" }, legend(drawn), toggle), numbers);
  let chosen = null;
  let drawing = null;
  new ResizeObserver(([{ contentRect }]) => contentRect.width > 0 && draw(contentRect.width)).observe(plot);
  describe(days.length - 1);
  listen();
  return figure;

  function draw(width) {
    const svg = drawChart({ width, shape, days, series: drawn, format });
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${title}: ${summary}`);
    if (drawing) drawing.replaceWith(svg);
    else plot.prepend(svg);
    drawing = svg;
    if (chosen !== null) choose(chosen);
  }

  function listen() {
    cursor.addEventListener("pointermove", (event) => choose(dayAt(event)));
    cursor.addEventListener("pointerdown", (event) => choose(dayAt(event)));
    cursor.addEventListener("pointerleave", () => document.activeElement !== cursor && choose(null));
    cursor.addEventListener("focus", () => cursor.matches(":focus-visible") && choose(chosen ?? days.length - 1));
    cursor.addEventListener("blur", () => choose(null));
    cursor.addEventListener("keydown", (event) => {
      const at = chosen ?? days.length - 1;
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowDown: at - 1, ArrowUp: at + 1, PageDown: at - 7, PageUp: at + 7, Home: 0, End: days.length - 1 };
      if (event.key === "Escape") return choose(null);
      if (!(event.key in to)) return;
      event.preventDefault();
      choose(Math.min(days.length - 1, Math.max(0, to[event.key])));
    });
  }

  function dayAt({ clientX }) {
    const { left, width } = cursor.getBoundingClientRect();
    return Math.min(days.length - 1, Math.max(0, Math.floor(((clientX - left) / width) * days.length)));
  }

  function choose(at) {
    chosen = at;
    const groups = drawing?.querySelectorAll("[data-day]") ?? [];
    for (const group of groups) group.classList.toggle("chosen", Number(group.dataset.day) === at);
    readout.hidden = at === null;
    if (at === null) return;
    describe(at);
    const rows = series.map((each) => element("li", {}, key(each), element("span", {}, each.label), element("strong", {}, written(each, days[at]))));
    readout.replaceChildren(element("strong", {}, dayName(days[at].date)), element("ul", {}, ...rows));
    place(at);
  }

  /** Beside the day, on the side where there is room. */
  function place(at) {
    const { left, width } = plotWidth(plot.clientWidth);
    const middle = left + ((at + 0.5) / days.length) * width;
    const isLeft = middle > plot.clientWidth / 2;
    const room = isLeft ? middle - readout.offsetWidth - 12 : middle + 12;
    readout.style.left = `${Math.max(0, Math.min(room, plot.clientWidth - readout.offsetWidth))}px`;
  }

  function describe(at) {
    const said = series.map((each) => `${each.label} ${written(each, days[at])}`);
    for (const [name, value] of [["min", 0], ["max", days.length - 1], ["now", at]]) cursor.setAttribute(`aria-value${name}`, value);
    cursor.setAttribute("aria-valuetext", `${dayName(days[at].date)}: ${said.join(", ")}`);
  }

  function showNumbers() {
    const isShown = numbers.childElementCount === 0;
    toggle.setAttribute("aria-expanded", String(isShown));
    toggle.textContent = isShown ? t.hideTable : t.asTable;
    numbers.replaceChildren(...(isShown ? [numberTable()] : []));
  }

  function numberTable() {
    const columns = series.map((each) => ({ title: each.label, kind: "number", cell: (day) => written(each, day) }));
    return table(title, [{ title: t.date, kind: "main", cell: (day) => dayName(day.date) }, ...columns], days.toReversed());
  }

  function written(each, day) {
    const value = each.of(day);
    return value === null ? "–" : format(value);
  }
}

function legend(series) {
  if (series.length < 2) return element("span");
  return element("ul", { class: "legend" }, ...series.map((each) => element("li", {}, key(each), each.label)));
}

function key({ name, isQuiet }) {
  return element("i", { class: `key ${isQuiet ? "none" : name}`, "aria-hidden": "true" });
}
