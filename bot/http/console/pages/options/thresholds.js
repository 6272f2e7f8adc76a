/** What the thresholds do: the latest questions by confidence, and which outcome each would get. */

import { element } from "/page/dom.js";
import { card } from "../../parts.js";
import { t } from "./words.js";

const OUTCOMES = ["refused", "clarify", "grounded", "direct"];

/** Draw the card; it follows the fields as they are changed. */
export function drawThresholds(fields, bins) {
  const most = Math.max(1, ...bins.map((bin) => bin.questions));
  const total = bins.reduce((sum, bin) => sum + bin.questions, 0);
  const bars = bins.map((bin) => bar(bin, most));
  const shares = element("p", { "aria-live": "polite" });
  const chart = element("div", { class: "histogram", role: "img", "aria-label": t.histogram }, ...bars);
  const scale = element("div", { class: "histogram-scale", "aria-hidden": "true" }, element("span", {}, "0 %"), element("span", {}, "50 %"), element("span", {}, "100 %"));
  for (const each of fields) each.control.addEventListener("input", show);
  show();
  return card(t.effect, element("p", { class: "quiet" }, total ? t.effectSentence(total) : t.noQuestions), chart, scale, shares);

  function show() {
    const [clarify, grounded, direct] = fields.slice(0, 3).map((each) => Number(each.control.value));
    const counts = { refused: 0, clarify: 0, grounded: 0, direct: 0 };
    bins.forEach((bin, at) => {
      const middle = (bin.start + bin.end) / 2;
      const outcome = OUTCOMES[[clarify, grounded, direct].filter((border) => middle >= border).length];
      counts[outcome] += bin.questions;
      bars[at].className = `histogram-bar ${outcome}`;
    });
    shares.textContent = total ? OUTCOMES.toReversed().map((name) => `${t.outcomes[name]} ${Math.round((100 * counts[name]) / total)} %`).join(" · ") : "";
  }
}

function bar(bin, most) {
  const node = element("span", { class: "histogram-bar", title: t.bin(bin) });
  const filled = element("i");
  filled.style.height = `${(100 * bin.questions) / most}%`;
  node.append(filled);
  return node;
}
