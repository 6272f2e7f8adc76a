/** Charts over days, as SVG: with a sentence for those who cannot see them, and as a table for those who want numbers. */

import { element } from "/page/dom.js";
import { table } from "../../table.js";
import { t, wholeNumber } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const [HEIGHT, LEFT, BOTTOM, TOP] = [200, 44, 22, 8];
const [WHOLE, HALF] = [1_040, 500];


/** Draw the outcomes of each day on top of each other. */
export function stackedBars(days, names, labels, title) {
  const used = names.filter((name) => days.some((day) => day.outcomes[name] > 0));
  const most = niceTop(Math.max(...days.map((day) => used.reduce((sum, name) => sum + day.outcomes[name], 0))));
  const svg = frame(title, days, most, "", WHOLE);
  const slot = (WHOLE - LEFT) / days.length;
  days.forEach((day, at) => {
    let height = 0;
    const said = [day.date];
    const bars = used.map((name) => {
      const count = day.outcomes[name];
      const bar = draw("rect", {
        class: `series ${name}`,
        x: LEFT + at * slot + slot * 0.12,
        width: Math.max(1, slot * 0.76),
        y: yOf(height + count, most),
        height: Math.max(0, yOf(height, most) - yOf(height + count, most)),
      });
      height += count;
      if (count > 0) said.push(`${labels[name]} ${count}`);
      return bar;
    });
    svg.append(group(said.join(" · "), bars, LEFT + at * slot, slot));
  });
  const columns = [
    { title: t.date, kind: "main", cell: (day) => day.date },
    ...used.map((name) => ({ title: labels[name], kind: "number", cell: (day) => wholeNumber(day.outcomes[name]) })),
  ];
  return figure(svg, used.map((name) => [name, labels[name]]), title, columns, days);
}

/** Draw one line for each of some numbers: [name, label] pairs. */
export function lines(days, series, unit, title) {
  const most = niceTop(Math.max(...days.flatMap((day) => series.map(([name]) => day[name] ?? 0))));
  const svg = frame(title, days, most, unit, HALF);
  const slot = (HALF - LEFT) / days.length;
  series.forEach(([name], number) => {
    const points = days.map((day, at) => (day[name] === null ? null : [LEFT + (at + 0.5) * slot, yOf(day[name], most)]));
    for (const part of unbroken(points)) {
      svg.append(draw("polyline", { class: `line line-${number}`, points: part.map((point) => point.join(",")).join(" ") }));
      svg.append(...part.map(([cx, cy]) => draw("circle", { class: `dot line-${number}`, cx, cy, r: part.length === 1 || days.length < 40 ? 3 : 1.5 })));
    }
  });
  days.forEach((day, at) => {
    const said = [day.date, ...series.map(([name, label]) => `${label} ${day[name] === null ? "–" : Math.round(day[name])} ${unit}`.trim())];
    svg.append(group(said.join(" · "), [], LEFT + at * slot, slot));
  });
  const columns = [
    { title: t.date, kind: "main", cell: (day) => day.date },
    ...series.map(([name, label]) => ({ title: label, kind: "number", cell: (day) => (day[name] === null ? "–" : wholeNumber(Math.round(day[name]))) })),
  ];
  return figure(svg, series.map(([, label], number) => [`line-${number}`, label]), title, columns, days);
}

function frame(title, days, most, unit, width) {
  const svg = draw("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": t.chart(title, days[0].date, days.at(-1).date) });
  for (const part of [0, 0.5, 1]) {
    const y = yOf(most * part, most);
    svg.append(draw("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }));
    svg.append(draw("text", { class: "axis", x: LEFT - 6, y: y + 4, "text-anchor": "end" }, `${wholeNumber(most * part)}${unit && part === 1 ? ` ${unit}` : ""}`));
  }
  const every = Math.ceil((days.length * 60) / (width - LEFT));
  days.forEach((day, at) => {
    if (at % every > 0) return;
    const x = LEFT + ((at + 0.5) * (width - LEFT)) / days.length;
    svg.append(draw("text", { class: "axis", x, y: HEIGHT - 4, "text-anchor": "middle" }, day.date.slice(5)));
  });
  return svg;
}

/** What belongs to one day: pointed at anywhere above it, its numbers are shown. */
function group(said, shapes, x, width) {
  const area = draw("rect", { class: "hover", x, y: TOP, width, height: HEIGHT - TOP - BOTTOM });
  const node = draw("g", { class: "day" });
  node.append(...shapes, area, draw("title", {}, said));
  return node;
}

function figure(svg, legend, title, columns, days) {
  const keys = legend.map(([name, label]) => element("li", {}, element("i", { class: `key ${name}`, "aria-hidden": "true" }), label));
  return element(
    "figure",
    { class: "chart-figure" },
    svg,
    element("ul", { class: "legend" }, ...keys),
    element("details", {}, element("summary", {}, t.asTable), table(title, columns, days)),
  );
}

function unbroken(points) {
  const parts = [[]];
  for (const point of points) {
    if (point === null) parts.push([]);
    else parts.at(-1).push(point);
  }
  return parts.filter((part) => part.length > 0);
}

function yOf(value, most) {
  return HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP);
}

/** Return a round number from which up nothing is drawn. */
function niceTop(most) {
  if (!(most > 0)) return 2;
  const step = 10 ** Math.floor(Math.log10(most));
  const top = [1, 2, 4, 5, 10].map((factor) => factor * step).find((each) => each >= most);
  return Math.max(2, top);
}

function draw(tag, attributes, text = null) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  return node;
}
