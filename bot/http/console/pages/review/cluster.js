/** Questions about one matter: what is asked, what comes near, and what can be done. */

import { element } from "/page/dom.js";
import { badge, time } from "../../parts.js";
import { href } from "../../router.js";
import { sparkline } from "./sparkline.js";
import { t } from "./words.js";

const COLOURS = { refused: "bad", escalated: "violet", clarify: "info", down: "warn" };

/** Build its card; `actions(cluster, chosen, leave)` makes the buttons, where `chosen()` gives the ticked questions. */
export function buildCluster(cluster, actions) {
  const samples = buildSamples(cluster.questions);
  const node = element(
    "section",
    { class: "card cluster" },
    element("div", { class: "section-head" }, element("h2", {}, cluster.question), element("span", { class: "badges" }, ...facts(cluster))),
    samples.node,
    cluster.agent_answer ? agentAnswer(cluster.agent_answer) : null,
  );
  node.append(element("div", { class: "cluster-foot" }, nearest(cluster), ...actions(cluster, samples.chosen, () => node.remove())));
  return node;
}

/** One way of asking stands in the title already. */
function buildSamples(questions) {
  if (questions.length === 1) return { node: null, chosen: () => questions };
  const boxes = questions.map((question) => element("input", { type: "checkbox", checked: true, value: question }));
  const items = boxes.map((box) => element("li", {}, element("label", { class: "check" }, box, element("span", {}, box.value))));
  const node = element("details", {}, element("summary", {}, t.samples(questions.length)), element("ul", {}, ...items));
  return { node, chosen: () => boxes.filter((box) => box.checked).map((box) => box.value) };
}

function facts({ count, kinds, trend, last_at: at }) {
  const counted = Object.entries(kinds).filter(([, times]) => times > 0);
  const label = (kind, times) => (counted.length > 1 ? `${t.kinds[kind]} ${times}` : t.kinds[kind]);
  return [
    badge(t.times(count)),
    ...counted.map(([kind, times]) => badge(label(kind, times), COLOURS[kind])),
    count > 1 ? sparkline(trend, t.trend) : null,
    time(at),
  ];
}

function nearest({ nearest: near }) {
  if (near === null) return element("p", { class: "nearest quiet" }, t.noNearest);
  const link = element("a", { href: href("entry", near.knowledge_base, near.key) }, near.question);
  return element("p", { class: "nearest" }, element("span", { class: "quiet" }, t.nearest), " ", link, ` (${Math.round(100 * near.confidence)} %)`);
}

function agentAnswer(text) {
  return element("div", { class: "agent-answer" }, element("p", { class: "quiet" }, t.agentAnswer), element("p", { class: "said" }, text));
}
