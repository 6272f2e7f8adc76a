/** What the test set says of what is published and of what is being edited. */

import { element, icon } from "/page/dom.js";
import { get, post } from "../../api.js";
import { badge, button, card, linkButton, progressBar } from "../../parts.js";
import { explain } from "../../problems.js";
import { href } from "../../router.js";
import { t } from "./words.js";

const POLL_MS = 400;
const COLOURS = { right: "good", wrong: "bad", unanswered: "warn" };

/** Make the card; `isWorse()` says whether more is answered wrongly than before, `leave()` ends the watching. */
export function checkCard(base, questions) {
  const path = `/knowledge-bases/${encodeURIComponent(base)}/check`;
  const area = element("div", { class: "stack" });
  const edit = linkButton(t.editTests, href("testset", base), { kind: "quiet" });
  let isLeft = false;
  let result = null;
  if (questions === 0) area.append(element("p", { class: "quiet" }, t.noTests), edit);
  else area.append(element("p", { class: "quiet" }, t.testsSentence(questions)), actions(t.check, "check"));
  const node = card(t.tests, area);
  return { node, isWorse: () => result?.before != null && (result.after.wrong ?? 0) > (result.before.wrong ?? 0), leave: () => (isLeft = true) };

  function actions(label, drawing) {
    return element("div", { class: "actions" }, button(label, run, { icon: drawing }), edit);
  }

  async function run() {
    const bar = progressBar(t.check);
    area.replaceChildren(bar);
    let check = await post(path);
    while (check.state === "running" && !isLeft) {
      bar.set(check.done / Math.max(1, check.total));
      await new Promise((later) => setTimeout(later, POLL_MS));
      check = await get(path);
    }
    result = check.result;
    const again = actions(t.checkAgain, "retry");
    if (check.state === "failed") area.replaceChildren(element("p", { class: "note bad" }, icon("warning"), explain(new Error(check.message))), again);
    else if (result) area.replaceChildren(...outcome(result), again);
  }
}

function outcome(result) {
  const sides = [
    [t.before, result.before],
    [t.after, result.after],
  ].filter(([, counts]) => counts !== null);
  return [
    element("div", { class: "results" }, ...sides.map(([title, counts]) => side(title, counts, result.total))),
    ...(result.changed.length > 0 ? [changedList(result.changed)] : [element("p", { class: "quiet" }, t.nothingChanges)]),
  ];
}

function side(title, counts, total) {
  const lines = Object.entries(COLOURS).map(([name, colour]) => {
    const count = counts[name] ?? 0;
    const bar = element("i", { class: colour });
    bar.style.width = `${(100 * count) / Math.max(1, total)}%`;
    return element("li", {}, element("span", {}, `${t.results[name]} `, element("strong", {}, String(count))), element("span", { class: "meter", "aria-hidden": "true" }, bar));
  });
  return element("section", {}, element("h3", {}, title), element("ul", {}, ...lines));
}

function changedList(changed) {
  const items = changed.map(({ question, before, after }) =>
    element("li", {}, question, " ", badge(t.results[before.result], COLOURS[before.result]), " → ", badge(t.results[after.result], COLOURS[after.result])),
  );
  return element("details", { open: changed.length <= 10 }, element("summary", {}, t.changedResults(changed.length)), element("ul", { class: "plain-list" }, ...items));
}
