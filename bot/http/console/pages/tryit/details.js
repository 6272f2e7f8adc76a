/** What is behind an answer, for those who want to know: prompt, check, times, tokens. */

import { element } from "/page/dom.js";
import { t } from "./words.js";

/** Draw the parts, each folded. */
export function drawDetails(answer) {
  return [
    folded(t.timings, t.timingsSentence, times(answer)),
    ...(answer.prompt.length > 0 ? [folded(t.prompt, t.promptSentence, ...answer.prompt.map(message))] : []),
    ...(answer.generated === null ? [] : [folded(t.generated, verdict(answer), element("pre", { tabindex: "0" }, answer.generated))]),
    ...(answer.model ? [folded(t.model, answer.model, element("p", {}, t.tokens(answer.usage)))] : []),
  ];
}

function folded(title, sentence, ...content) {
  return element("details", {}, element("summary", {}, title), element("p", { class: "quiet" }, sentence), ...content);
}

function message({ role, content }) {
  return element("div", {}, element("p", { class: "quiet" }, t.roles[role] ?? role), element("pre", { tabindex: "0" }, content));
}

function verdict({ grounded }) {
  if (grounded === null) return t.unchecked;
  return grounded ? t.passed : t.failed;
}

function times({ timings }) {
  const lines = Object.entries(timings).filter(([, ms]) => ms !== null);
  const most = Math.max(...lines.map(([, ms]) => ms), 1);
  const items = lines.map(([name, ms]) => {
    const bar = element("i");
    bar.style.width = `${(100 * ms) / most}%`;
    return element("li", {}, element("span", {}, `${t.times[name]} `, element("strong", {}, `${ms.toFixed(0)} ms`)), element("span", { class: "meter", "aria-hidden": "true" }, bar));
  });
  return element("ul", { class: "plain-list" }, ...items);
}
