/** Review: questions that went wrong, by what they are about, each to become a variant, an entry, or to be ignored. */

import { element } from "/page/dom.js";
import { get, post } from "../api.js";
import { field, input, select, textarea } from "../forms.js";
import { openForm, toast } from "../layers.js";
import { button, emptyState, fill, pageHead } from "../parts.js";
import { href, setQuery } from "../router.js";
import { buildCluster } from "./review/cluster.js";
import { entryPicker } from "./review/picker.js";
import { t } from "./review/words.js";

const DAYS = ["7", "30", "90"];
const SHOWN = 20;

/** Show the page. */
export async function render(place, { query, session }) {
  const wanted = { days: DAYS.includes(query.get("days")) ? query.get("days") : "30", kind: query.get("kind") ?? "" };
  const mayWrite = session.can("knowledge:write");
  const area = element("div", { class: "stack" });
  place.append(pageHead(t.title, t.sentence), filters(), area);
  await load();

  function filters() {
    const days = select("days", DAYS.map((each) => [each, t.spans[each]]), wanted.days, { "aria-label": t.span });
    const kind = select("kind", [["", t.anyKind], ...Object.entries(t.kinds)], wanted.kind, { "aria-label": t.kind });
    for (const control of [days, kind]) {
      control.addEventListener("change", () => {
        wanted[control.name] = control.value;
        load();
      });
    }
    return element("div", { class: "toolbar" }, days, kind);
  }

  function load() {
    setQuery(wanted);
    return fill(area, () => get("/review", wanted), draw);
  }

  function draw({ clusters, ungrouped }) {
    if (clusters.length === 0) return emptyState("check", t.empty, t.emptySentence);
    const more = ungrouped > 0 ? [element("p", { class: "note" }, t.ungrouped(ungrouped), button(t.goOn, load, { kind: "quiet" }))] : [];
    return [...more, ...drawSome(clusters)];
  }

  /** The commonest matters, and a button for more. */
  function drawSome(clusters) {
    const shown = clusters.slice(0, SHOWN).map((each) => buildCluster(each, mayWrite ? actions : () => []));
    const rest = clusters.slice(SHOWN);
    if (rest.length > 0) shown.push(moreButton(rest));
    return shown;
  }

  function moreButton(rest) {
    const node = button(t.more(rest.length), () => {
      const next = drawSome(rest);
      node.replaceWith(...next);
      next[0].querySelector("button, a")?.focus();
    });
    return node;
  }

  function actions(each, chosen, leave) {
    const near = each.nearest;
    const first = near ? [button(t.toNearest, () => resolve("variant", { knowledge_base: near.knowledge_base, key: near.key }), { icon: "plus" })] : [];
    return [
      ...first,
      button(t.toOther, () => void pick()),
      button(t.newEntry, () => void write()),
      button(t.ignore, () => resolve("ignore", {}), { kind: "quiet" }),
    ];

    async function resolve(action, body) {
      const questions = chosen();
      if (questions.length === 0) return toast(t.noneChosen, { kind: "bad" });
      await post("/review/resolve", { questions, action, ...body });
      leave();
      const published = body.knowledge_base ? { label: t.publish, run: () => (location.hash = href("releases", body.knowledge_base)) } : null;
      return toast(t.done[action], { action: published });
    }

    async function pick() {
      const entry = await entryPicker(session.knowledgeBase, each.question);
      if (entry) await resolve("variant", { knowledge_base: session.knowledgeBase, key: entry.key });
    }

    function write() {
      const hint = each.agent_answer ? t.answerTaken : t.answerHint;
      const question = field(t.question, input("question", { value: each.question, maxlength: 500 }));
      const answer = field(t.answer, textarea("answer", { rows: 8 }, each.agent_answer ?? ""), { hint });
      const base = session.knowledgeBase;
      return openForm(t.newEntryIn(base), [question, answer], t.add, (values) => resolve("entry", { knowledge_base: base, ...values }));
    }
  }
}
