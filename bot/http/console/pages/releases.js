/** Releases: what customers are answered from, what would change, and the way back. */

import { element, icon } from "/page/dom.js";
import { get, post } from "../api.js";
import { field, textarea } from "../forms.js";
import { confirm, openForm, toast } from "../layers.js";
import { badge, button, card, emptyState, fill, linkButton, pageHead, progressBar, time } from "../parts.js";
import { href } from "../router.js";
import { refreshKnowledgeBases } from "../session.js";
import { table } from "../table.js";
import { checkCard } from "./releases/check.js";
import { changesCard } from "./releases/changes.js";
import { t } from "./releases/words.js";

const POLL_MS = 500;

/** Show the page. */
export async function render(place, { parameters, session }) {
  const base = parameters.knowledgeBase ?? session.knowledgeBase;
  if (base === null) {
    place.append(pageHead(t.title, t.sentence), emptyState("base", t.noBase, t.noBaseSentence, linkButton(t.toFaq, href("faq"), { kind: "primary" })));
    return undefined;
  }
  const path = `/knowledge-bases/${encodeURIComponent(base)}`;
  const mayWrite = session.can("knowledge:write");
  const area = element("div", { class: "stack" });
  const going = element("div", { role: "status" });
  place.append(pageHead(t.title, t.sentence), going, area);
  let isLeft = false;
  let check = null;
  await load();
  return () => {
    isLeft = true;
    check?.leave();
  };

  function load() {
    return fill(area, () => Promise.all([get(`${path}/draft`), get(`${path}/releases`), get(`${path}/tests`)]), draw);
  }

  function draw([draft, { releases, live }, { cases }]) {
    const count = draft.added_count + draft.changed_count + draft.removed_count;
    check?.leave();
    check = checkCard(base, cases.length);
    const publish = mayWrite && count > 0 ? [button(t.publish, () => void askToPublish(count), { kind: "primary" })] : [];
    return [
      changesCard(draft, publish),
      check.node,
      releases.length > 0 ? list(releases, live) : emptyState("releases", t.none, t.noneSentence),
    ];
  }

  function list(releases, live) {
    const columns = [
      { title: t.number, kind: "main", cell: (release) => [t.name(release.number), " ", ...marks(release, live)] },
      { title: t.when, cell: (release) => time(release.created_at) },
      { title: t.who, cell: (release) => release.created_by ?? t.commandLine },
      { title: t.note, cell: (release) => release.note ?? "" },
      { title: t.entries, kind: "number", cell: (release) => String(release.entries) },
    ];
    if (mayWrite) columns.push({ kind: "actions", cell: (release) => (release.current ? [] : [back(release)]) });
    return card(t.list, table(t.list, columns, releases));
  }

  function marks(release, live) {
    if (!release.current) return [];
    return [badge(release.number === live || live === null ? t.current : t.loading, "good")];
  }

  function back(release) {
    const restore = async () => {
      const act = () => post(`${path}/releases/${release.number}/restore`);
      const sure = await confirm(t.restoreTitle(release.number), t.restoreSentence, t.restore, act, { kind: "primary" });
      if (sure) await follow(release.number);
    };
    return button(t.restore, () => void restore(), { kind: "quiet", icon: "undo" });
  }

  async function askToPublish(count) {
    const note = field(t.noteLabel, textarea("note", { rows: 2, maxlength: 500 }), { optional: true, hint: t.noteHint });
    const worse = check.isWorse() ? [element("p", { class: "note warn" }, icon("warning"), t.worse)] : [];
    const said = [element("p", {}, t.publishSentence(count)), ...worse, note];
    const release = await openForm(t.publish, said, t.publish, ({ note: text }) => post(`${path}/releases`, { note: text.trim() || null }));
    if (release) await follow(release.number);
  }

  /** Show how far the index is, until customers are answered from it. */
  async function follow(number) {
    const bar = progressBar(t.building);
    going.replaceChildren(element("div", { class: "card stack going" }, element("p", {}, t.building), bar));
    let state = await get(`${path}/releases`);
    while (state.live !== number && !isLeft) {
      if (state.progress) bar.set(state.progress.done / Math.max(1, state.progress.total));
      await new Promise((later) => setTimeout(later, POLL_MS));
      state = await get(`${path}/releases`);
    }
    if (isLeft) return;
    going.replaceChildren();
    toast(t.live(number));
    await Promise.all([refreshKnowledgeBases(), load()]);
  }
}
