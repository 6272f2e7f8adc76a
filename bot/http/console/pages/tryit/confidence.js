/** How sure the bot is, on a scale with the thresholds. */

import { element } from "/page/dom.js";
import { t } from "./words.js";

/** Draw the scale; from each threshold on, another outcome is chosen. */
export function drawConfidence(confidence, thresholds) {
  const bands = [
    ["refused", 0, thresholds.clarify],
    ["clarify", thresholds.clarify, thresholds.grounded],
    ["grounded", thresholds.grounded, thresholds.direct],
    ["direct", thresholds.direct, 1],
  ].filter(([, from, to]) => to > from);
  const parts = bands.map(([name, from, to]) => {
    const band = element("span", { class: `band ${name}` }, element("small", {}, t.bands[name]));
    band.style.flexGrow = String(to - from);
    return band;
  });
  const needle = element("i", { class: "needle" });
  needle.style.left = `${100 * confidence}%`;
  const percent = `${(100 * confidence).toFixed(1)} %`;
  return element(
    "figure",
    { class: "confidence" },
    element("figcaption", {}, `${t.confidence} `, element("strong", { "data-testid": "confidence" }, percent)),
    element("div", { class: "scale", role: "img", "aria-label": t.scale(percent, thresholds) }, ...parts, needle),
    element("p", { class: "quiet" }, t.confidenceSentence),
  );
}
