/** Review: questions that went wrong, by what they are about, each to become a variant, an entry, or to be ignored. */

import { element } from "/page/dom.js";
import { get, post } from "../api.js";
import { field, input, select, textarea } from "../forms.js";
import { openForm, toast } from "../layers.js";
import { badge, button, emptyState, fill, pageHead, time } from "../parts.js";
import { href, setQuery } from "../router.js";
import { entryPicker } from "./review/picker.js";
import { sparkline } from "./review/sparkline.js";
import { t } from "./review/words.js";

const COLOURS = { refused: "bad", escalated: "violet", clarify: "info", down: "warn" };
const DAYS = ["7", "30", "90"];

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
    return [...more, ...clusters.map(cluster)];
  }

  function cluster(each) {
    const boxes = each.questions.map((question) => element("input", { type: "checkbox", checked: true, value: question }));
    const samples = boxes.map((box) => element("li", {}, element("label", { class: "check" }, box, element("span", {}, box.value))));
    const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
    const node = element(
      "section",
      { class: "card cluster" },
      element(
        "div",
        { class: "section-head" },
        element("h2", {}, each.question),
        element("span", { class: "badges" }, badge(t.times(each.count)), ...kinds(each.kinds), sparkline(each.trend, t.trend), time(each.last_at)),
      ),
      element("details", { open: each.questions.length <= 3 }, element("summary", {}, t.samples(each.questions.length)), element("ul", {}, ...samples)),
      nearest(each),
      each.agent_answer ? element("div", { class: "nearest" }, element("p", { class: "quiet" }, t.agentAnswer), element("p", { class: "said" }, each.agent_answer)) : null,
      mayWrite ? element("div", { class: "actions" }, ...actions(each, chosen, () => node.remove())) : null,
    );
    return node;
  }

  function kinds(counts) {
    return Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => badge(`${t.kinds[kind]} ${count}`, COLOURS[kind]));
  }

  function nearest({ nearest: near }) {
    if (near === null) return element("p", { class: "nearest quiet" }, t.noNearest);
    const link = element("a", { href: href("entry", near.knowledge_base, near.key) }, near.question);
    return element("p", { class: "nearest" }, t.nearest, " ", link, ` (${Math.round(100 * near.confidence)} %)`);
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
      return openForm(t.newEntry, [question, answer], t.add, (values) => resolve("entry", { knowledge_base: base, ...values }));
    }
  }
}
