/** Settings: how often the bot was right when it was so sure, over questions whose answer is known. */

import { element } from "/page/dom.js";
import { words } from "../../words.js";
import { draw } from "../dashboard/drawing.js";
import { percent } from "../dashboard/words.js";

const [SIZE, LEFT, RIGHT, BOTTOM, TOP] = [240, 44, 24, 40, 30];
const MARKS = [0, 0.5, 1];

const t = words({
  zh: {
    sentence:
      "发布时，每条相似问都被拿出来问一遍（不算它自己）。每个点是把握相近的一组问题：点在斜线上，说明把握刚好准；在下方，说明过于自信。",
    none: "相似问还太少，算不出这条曲线；用的是出厂的校准。多写几种问法，把握会更准。",
    confidence: "把握",
    right: "答对的比例",
    point: (confidence, right) => `把握 ${percent(confidence)}，答对 ${percent(right)}`,
  },
  en: {
    sentence:
      "At publishing, each variant is asked once without itself. Each dot is a group of questions of like confidence: on the line the confidence is exact, below it the bot was too sure.",
    none: "There are too few variants for this curve, so the shipped calibration is used. More ways of asking make confidence better.",
    confidence: "Confidence",
    right: "Share right",
    point: (confidence, right) => `Confidence ${percent(confidence)}, right ${percent(right)}`,
  },
});

/** Draw the curve, or say why there is none. */
export function calibrationCurve(curve) {
  if (curve.length === 0) return element("p", { class: "quiet" }, t.none);
  const width = LEFT + SIZE + RIGHT;
  const label = curve.map(({ confidence, right }) => t.point(confidence, right)).join("; ");
  const svg = draw("svg", { class: "chart calibration", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${TOP + SIZE + BOTTOM}` });
  svg.append(draw("line", { class: "ideal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }), ...MARKS.flatMap(mark), ...names());
  svg.append(draw("polyline", { class: "line", points: curve.map((each) => `${x(each.confidence)},${y(each.right)}`).join(" ") }));
  svg.append(...curve.map(dot));
  return element("div", { class: "stack" }, element("p", { class: "quiet" }, t.sentence), svg);
}

function dot({ confidence, right }) {
  const circle = draw("circle", { cx: x(confidence), cy: y(right), r: 4 });
  circle.append(draw("title", {}, t.point(confidence, right)));
  return circle;
}

function mark(value) {
  return [
    draw("line", { class: value === 0 ? "ground" : "grid", x1: x(0), x2: x(1), y1: y(value), y2: y(value) }),
    draw("text", { class: "axis", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, percent(value)),
    draw("text", { class: "axis", x: x(value), y: y(0) + 16, "text-anchor": "middle" }, percent(value)),
  ];
}

function names() {
  return [
    draw("text", { class: "axis", x: x(1), y: y(0) + 34, "text-anchor": "end" }, t.confidence),
    draw("text", { class: "axis", x: 0, y: 12 }, t.right),
  ];
}

function x(value) {
  return LEFT + value * SIZE;
}

function y(value) {
  return TOP + (1 - value) * SIZE;
}
