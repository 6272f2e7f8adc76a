/** Three handles on one scale of confidence, over a histogram of the latest questions and their thumbs. */

import { element } from "/page/dom.js";
import { words } from "../../words.js";
import { percent } from "../dashboard/words.js";
import { t as tried } from "../tryit/words.js";

const NAMES = ["clarify", "grounded", "direct"];
const BANDS = ["refused", ...NAMES];
const STEP = 0.01;
const BIG_STEP = 0.05;

const t = words({
  zh: {
    handle: (outcome) => `${outcome}的分界`,
    value: (share) => `把握 ${share} 起`,
    histogram: (bins) => `最近的问题按把握分布：${bins}`,
    bin: (from, to, { questions, up, down }) => `把握 ${from}–${to}：${questions} 个问题，好评 ${up}，差评 ${down}`,
    above: "问题",
    up: "好评",
    down: "差评",
  },
  en: {
    handle: (outcome) => `Border of “${outcome}”`,
    value: (share) => `from confidence ${share}`,
    histogram: (bins) => `The latest questions by confidence: ${bins}`,
    bin: (from, to, { questions, up, down }) => `Confidence ${from}–${to}: ${questions} questions, ${up} thumbs up, ${down} down`,
    above: "Questions",
    up: "Thumbs up",
    down: "Thumbs down",
  },
});

/** Return {node, show(borders)}; `onMove(at, value)` is called when a handle that is not fixed is moved. */
export function thresholdScale(bins, isFixed, onMove) {
  let borders = [0, 0, 0];
  const columns = bins.map(column(bins));
  const handles = NAMES.map((name, at) => handle(name, at));
  const said = bins.filter((bin) => bin.questions > 0).map(describe);
  const chart = element("div", { class: "histogram", role: "img", "aria-label": t.histogram(said.join("; ")) }, ...columns);
  const zones = BANDS.map((name) => element("span", { class: `zone ${name}` }));
  const track = element("div", { class: "scale-track" }, ...zones);
  const plot = element("div", { class: "scale-plot" }, chart, track, ...handles);
  const marks = element("div", { class: "scale-marks", "aria-hidden": "true" }, ...[0, 0.25, 0.5, 0.75, 1].map((at) => element("span", {}, percent(at))));
  return { node: element("div", { class: "threshold-scale" }, plot, marks, legend()), show };

  function show(given) {
    borders = given;
    const limits = [0, ...borders, 1];
    zones.forEach((zone, at) => (zone.style.flexGrow = limits[at + 1] - limits[at]));
    handles.forEach((each, at) => {
      each.style.left = `${borders[at] * 100}%`;
      each.setAttribute("aria-valuenow", Math.round(borders[at] * 100));
      each.setAttribute("aria-valuemin", Math.round(limits[at] * 100));
      each.setAttribute("aria-valuemax", Math.round(limits[at + 2] * 100));
      each.setAttribute("aria-valuetext", t.value(percent(borders[at])));
      each.firstChild.textContent = percent(borders[at]);
    });
    bins.forEach((bin, at) => {
      const middle = (bin.start + bin.end) / 2;
      columns[at].className = `bin ${BANDS[borders.filter((border) => middle >= border).length]}`;
    });
  }

  function handle(name, at) {
    const node = element("span", {
      class: `handle ${name}`,
      role: "slider",
      tabindex: isFixed[at] ? null : 0,
      "aria-disabled": isFixed[at] ? "true" : null,
      "aria-label": t.handle(tried.outcomes[name]),
    });
    node.append(element("output", { "aria-hidden": "true" }));
    if (isFixed[at]) return node;
    node.addEventListener("keydown", (event) => {
      const to = keyed(event.key, borders[at], at);
      if (to === null) return;
      event.preventDefault();
      move(at, to);
    });
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.focus();
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", (event) => {
      if (!node.hasPointerCapture(event.pointerId)) return;
      const { left, width } = plot.getBoundingClientRect();
      move(at, (event.clientX - left) / width);
    });
    return node;
  }

  function keyed(key, value, at) {
    const step = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -BIG_STEP, PageUp: BIG_STEP };
    if (key in step) return value + step[key];
    if (key === "Home") return borders[at - 1] ?? 0;
    return key === "End" ? (borders[at + 1] ?? 1) : null;
  }

  /** A handle stops at its neighbours. */
  function move(at, to) {
    const within = Math.min(borders[at + 1] ?? 1, Math.max(borders[at - 1] ?? 0, to));
    onMove(at, Math.round(within / STEP) * STEP);
  }
}

/** Above the line the questions, below it the thumbs of as many of them. */
function column(bins) {
  const most = Math.max(1, ...bins.map((bin) => bin.questions));
  const mostRated = Math.max(1, ...bins.map((bin) => bin.up + bin.down));
  return (bin) => {
    const [above, up, down] = ["questions", "thumbs-up", "thumbs-down"].map((name) => element("i", { class: name }));
    above.style.height = `${(100 * bin.questions) / most}%`;
    up.style.height = `${(100 * bin.up) / mostRated}%`;
    down.style.height = `${(100 * bin.down) / mostRated}%`;
    const top = element("span", { class: "above" }, above);
    return element("span", { class: "bin", title: describe(bin) }, top, element("span", { class: "under" }, up, down));
  };
}

function describe(bin) {
  return t.bin(percent(bin.start), percent(bin.end), bin);
}

function legend() {
  const items = [...BANDS.map((name) => [name, tried.outcomes[name]]), ["thumbs-up", t.up], ["thumbs-down", t.down]];
  const keys = items.map(([name, label]) => element("li", {}, element("i", { class: `key ${name}`, "aria-hidden": "true" }), label));
  return element("ul", { class: "legend" }, ...keys);
}
