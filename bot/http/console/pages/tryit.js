/** Try it: ask as a customer would, and see the whole way to the answer. */

import { element, icon } from "/page/dom.js";
import { get, post, put } from "../api.js";
import { input, select } from "../forms.js";
import { toast } from "../layers.js";
import { badge, button, card, emptyState, errorPanel, markdown, pageHead, skeleton } from "../parts.js";
import { href } from "../router.js";
import { drawConfidence } from "./tryit/confidence.js";
import { drawDetails } from "./tryit/details.js";
import { OUTCOME_COLOURS, t } from "./tryit/words.js";

/** Show the page. */
export async function render(place, { session }) {
  place.classList.add("wide");
  const base = session.knowledgeBase;
  const mayWrite = session.can("knowledge:write");
  const earlier = [];
  const question = input("question", { maxlength: 2_000, placeholder: t.placeholder, "aria-label": t.question, autofocus: true });
  const source = select("source", [["", t.published], ...(base ? [["draft", t.draft(base)]] : [])], "", { "aria-label": t.source });
  const ask = button(t.ask, null, { kind: "primary", type: "submit" });
  const asked = element("p", { class: "asked" });
  const result = element("div", { class: "stack", "aria-live": "polite" });
  const bar = element("form", { class: "toolbar try", submit: (event) => (event.preventDefault(), void run()) }, question, source, ask);
  place.append(pageHead(t.title, t.sentence), bar, asked, result);
  result.append(emptyState("tryit", t.empty, t.emptySentence));
  question.focus();

  async function run() {
    const text = question.value.trim();
    if (text === "") return question.focus();
    result.replaceChildren(skeleton(4));
    try {
      const draft = source.value === "draft" ? { draft_of: base } : {};
      const answer = await post("/try", { question: text, earlier, ...draft });
      result.replaceChildren(...draw(text, answer));
      if (earlier.at(-1) !== text) earlier.push(text);
      drawEarlier();
      question.select();
    } catch (error) {
      result.replaceChildren(errorPanel(error, run));
    }
    return undefined;
  }

  function drawEarlier() {
    const clear = button(t.startOver, () => {
      earlier.length = 0;
      drawEarlier();
    }, { kind: "quiet" });
    asked.replaceChildren(...(earlier.length > 0 ? [`${t.earlier} ${earlier.join(" → ")} `, clear] : []));
  }

  function draw(text, answer) {
    return [
      element("div", { class: "tried" }, said(text, answer), decided(answer)),
      candidates(text, answer),
      card(t.details, ...drawDetails(answer)),
    ];
  }

  function said(text, answer) {
    const suggestions = answer.suggestions.map((each) => element("li", {}, each.question));
    const citations = answer.citations.map((each) => element("li", {}, `[${each.number}] `, entryLink(each), ` ${each.key}`));
    return card(
      t.customerSees,
      element("div", { class: "preview" }, element("p", { class: "said customer" }, text), element("div", { class: "said" }, markdown(answer.answer || t.silent), suggestions.length ? element("ul", {}, ...suggestions) : null)),
      citations.length ? element("p", { class: "quiet" }, t.sources) : null,
      citations.length ? element("ul", { class: "plain-list" }, ...citations) : null,
    );
  }

  function decided(answer) {
    const rewritten = answer.standalone ? [element("p", { class: "note" }, icon("info"), t.rewritten(answer.standalone))] : [];
    const isInstead = answer.degraded && answer.outcome === "direct";
    const why = answer.grounded === false ? t.replaced : t.withoutModel;
    const replaced = isInstead ? [element("p", { class: "note warn" }, icon("warning"), why)] : [];
    const meaning = isInstead ? t.instead : t.meanings[answer.outcome];
    return card(
      t.why,
      element("p", {}, badge(t.outcomes[answer.outcome], OUTCOME_COLOURS[answer.outcome]), " ", meaning),
      drawConfidence(answer.confidence ?? 0, answer.thresholds),
      ...rewritten,
      ...replaced,
    );
  }

  function candidates(text, { candidates: found }) {
    if (found.length === 0) return card(t.candidates, element("p", { class: "quiet" }, t.noCandidates));
    const most = Object.fromEntries(["bm25", "classifier", "fused"].map((name) => [name, highest(found, `${name}_score`)]));
    const rows = found.map((each, at) => candidate(text, each, at === 0, most));
    return card(t.candidates, element("p", { class: "quiet" }, t.candidatesSentence), element("ol", { class: "candidates" }, ...rows));
  }

  function candidate(text, found, isFirst, most) {
    const scores = [
      [t.scores.question, found.question_score, found.question_score],
      [t.scores.answer, found.answer_score, found.answer_score],
      [t.scores.bm25, found.bm25_score, found.bm25_score / most.bm25],
      [t.scores.classifier, found.classifier_score, found.classifier_score / most.classifier],
      [t.scores.fused, found.fused_score, found.fused_score / most.fused],
    ].map(([label, score, part]) => scoreBar(label, score, part));
    const matched = found.matched === found.question ? [] : [element("p", { class: "quiet" }, t.matched(found.matched))];
    const add = mayWrite
      ? [
          button(t.addVariant, () => addVariant(text, found), { kind: "quiet", icon: "plus" }),
          button(t.addTest, () => addTest(text, found), { kind: "quiet", icon: "check" }),
        ]
      : [];
    const head = element("h3", {}, entryLink(found), " ", element("code", {}, found.key), " ", isFirst ? badge(t.first, "accent") : null);
    return element("li", {}, head, ...matched, element("div", { class: "scores" }, ...scores), element("div", { class: "actions" }, ...add));
  }

  async function addVariant(text, { knowledge_base: owner, key }) {
    const path = `/knowledge-bases/${encodeURIComponent(owner)}/entries/${encodeURIComponent(key)}`;
    const { version, updated_at: _at, ...entry } = await get(path);
    await put(path, { ...entry, variants: [...entry.variants, text] }, { "If-Match": `"${version}"` });
    toast(t.variantAdded(key), { action: { label: t.publish, run: () => (location.hash = href("releases", owner)) } });
  }

  async function addTest(text, { knowledge_base: owner, key }) {
    await post(`/knowledge-bases/${encodeURIComponent(owner)}/tests`, { cases: [{ question: text, key }] });
    toast(t.testAdded);
  }
}

/** Scores without an upper limit are drawn against the best of them. */
function highest(candidates, name) {
  return Math.max(1, ...candidates.map((each) => each[name]));
}

function entryLink({ knowledge_base: base, key, question }) {
  return element("a", { href: href("entry", base, key) }, question);
}

function scoreBar(label, score, part) {
  const fill = element("i");
  fill.style.width = `${Math.round(100 * Math.min(1, Math.max(0, part)))}%`;
  return element("div", {}, element("span", {}, `${label} `, element("strong", {}, score.toFixed(2))), element("span", { class: "bar", "aria-hidden": "true" }, fill));
}
