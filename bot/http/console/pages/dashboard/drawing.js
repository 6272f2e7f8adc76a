/** What is drawn of a chart: a grid, days along the bottom, bars or lines. */

import { shortDay } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [220, 62, 8, 10, 24];
const LABEL_WIDTH = 62;
const LINES = 4;
const [WIDEST_BAR, GAP] = [44, 1.5];

/** Return where days lie in a chart of this width. */
export function plotWidth(width) {
  return { left: LEFT, width: width - LEFT - RIGHT };
}

/** Draw a chart, as wide as it is shown, so that its text is as large as all other. */
export function drawChart({ width, shape, days, series, format }) {
  const values = days.map((day) => series.map((each) => each.of(day)));
  const heights = shape === "bars" ? values.map((each) => each.reduce((sum, value) => sum + value, 0)) : values.flat();
  const top = roundTop(Math.max(...heights), shape === "bars");
  const slot = plotWidth(width).width / days.length;
  const at = (place) => LEFT + (place + 0.5) * slot;
  const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  const svg = draw("svg", { class: "chart", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
  svg.append(...grid(top, y, width, format), ...dayNames(days, slot, at));
  const wide = days.map((_, place) => draw("rect", { class: "column", "data-day": place, x: at(place) - slot / 2, width: slot, y: TOP, height: HEIGHT - TOP - BOTTOM }));
  svg.append(...wide, ...(shape === "bars" ? bars(values, series, slot, at, y) : lines(values, series, at, y)));
  return svg;
}

function grid(top, y, width, format) {
  const values = Array.from({ length: LINES + 1 }, (_, line) => (top * line) / LINES);
  return values.flatMap((value) => [
    draw("line", { class: value === 0 ? "ground" : "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    draw("text", { class: "axis", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, format(value)),
  ]);
}

/** The last day always has its name, and as many before it as there is room for. */
function dayNames(days, slot, at) {
  const every = Math.ceil(LABEL_WIDTH / slot);
  return days
    .map((day, place) => [day, place])
    .filter(([, place]) => (days.length - 1 - place) % every === 0 && at(place) > LEFT + 14)
    .map(([day, place]) => {
      const isLast = place === days.length - 1 && slot < LABEL_WIDTH;
      const x = isLast ? at(place) + slot / 2 : at(place);
      return draw("text", { class: "axis", x, y: HEIGHT - 6, "text-anchor": isLast ? "end" : "middle" }, shortDay(day.date));
    });
}

function bars(values, series, slot, at, y) {
  const width = Math.max(1.5, Math.min(WIDEST_BAR, slot * 0.72));
  return values.map((counts, place) => {
    const group = draw("g", { "data-day": place });
    let sum = 0;
    counts.forEach((count, number) => {
      if (count === 0) return;
      const [low, high] = [y(sum), y(sum + count)];
      const gap = sum > 0 && low - high > 2 * GAP ? GAP : 0;
      group.append(draw("rect", { class: `bar ${series[number].name}`, x: at(place) - width / 2, width, y: high, height: low - high - gap }));
      sum += count;
    });
    return group;
  });
}

function lines(values, series, at, y) {
  return series.flatMap(({ name }, number) => {
    const points = values.map((each, place) => (each[number] === null ? null : [at(place), y(each[number]), place]));
    const strokes = unbroken(points).map((part) => draw("polyline", { class: `line ${name}`, points: part.map(([x, height]) => `${x},${height}`).join(" ") }));
    const isSparse = points.length <= 31;
    const dots = points.filter(Boolean).map(([cx, cy, place]) => draw("circle", { class: `dot ${name}${isSparse ? "" : " small"}`, "data-day": place, cx, cy, r: 3 }));
    return [...strokes, ...dots];
  });
}

/** A day without a number breaks the line. */
function unbroken(points) {
  const parts = [[]];
  for (const point of points) {
    if (point === null) parts.push([]);
    else parts.at(-1).push(point);
  }
  return parts.filter((part) => part.length > 1);
}

/** Return a round number, at least as high as all, that the grid divides evenly; counts into whole numbers. */
function roundTop(most, isCount) {
  if (!(most > LINES)) return LINES;
  const power = 10 ** Math.floor(Math.log10(most));
  const round = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10, 12].map((factor) => Math.round(factor * power * 10) / 10);
  return round.find((each) => each >= most && (!isCount || each % LINES === 0));
}

/** Make an SVG element. */
export function draw(tag, attributes, text = null) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  return node;
}
