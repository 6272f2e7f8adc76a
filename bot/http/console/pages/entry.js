/** One entry: write it, see it as customers do, look at what became of it. */

import { element } from "/page/dom.js";
import { get, post, put, remove } from "../api.js";
import { confirm, toast } from "../layers.js";
import { endGuard, guard } from "../leaving.js";
import { button, fill, markdown, pageHead, whileBusy } from "../parts.js";
import { explain } from "../problems.js";
import { href } from "../router.js";
import { showConflict } from "./entry/conflict.js";
import { buildFields } from "./entry/fields.js";
import { historyCard } from "./entry/history.js";
import { t } from "./entry/words.js";

/** Show the page. */
export async function render(place, { parameters, session, go }) {
  place.classList.add("wide");
  const { knowledgeBase: base, key = null } = parameters;
  const path = `/knowledge-bases/${encodeURIComponent(base)}/entries`;
  const area = element("div");
  place.append(area);
  return fill(area, () => load(path, key), draw);

  function draw({ entry, history, tags }) {
    const editor = buildEditor({ base, path, entry, tags, mayWrite: session.can("knowledge:write"), go, reload });
    guard(editor.isChanged);
    const past = history.length > 0 ? [historyCard(history, session.can("knowledge:write") ? editor.restore : null)] : [];
    return [editor.head, editor.node, ...past];
  }

  function reload() {
    endGuard();
    return fill(area, () => load(path, key), draw);
  }
}

async function load(path, key) {
  const { tags } = await get(path, { limit: 1 });
  if (key === null) return { entry: null, history: [], tags };
  const one = `${path}/${encodeURIComponent(key)}`;
  const [entry, { changes }] = await Promise.all([get(one), get(`${one}/history`)]);
  return { entry, history: changes, tags };
}

function buildEditor({ base, path, entry, tags, mayWrite, go, reload }) {
  const fields = buildFields(entry, tags.map(({ tag }) => tag), mayWrite);
  const preview = element("div", { class: "preview", "aria-live": "off" });
  const problem = element("p", { class: "form-problem", role: "alert", hidden: true });
  const node = element(
    "form",
    { class: "editor", novalidate: true, keydown: saveOnKey },
    element("div", { class: "card stack" }, ...fields.nodes, problem),
    element("aside", { class: "card" }, element("h2", {}, t.preview), preview),
  );
  const save = button(t.save, null, { kind: "primary", type: "submit", form: "entry" });
  node.id = "entry";
  node.addEventListener("input", show);
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(save, store);
  });
  show();
  return { head: head(), node, isChanged: () => mayWrite && fields.isChanged(), restore };

  function head() {
    const actions = mayWrite ? [save] : [];
    if (mayWrite && entry) actions.unshift(button(t.delete, erase, { kind: "quiet", icon: "trash" }));
    const back = element("a", { class: "back", href: href("faq", base) }, t.back);
    return element("div", {}, back, pageHead(entry ? entry.question : t.newEntry, entry ? entry.key : t.newSentence, ...actions));
  }

  function show() {
    const { question, answer } = fields.values();
    preview.replaceChildren(
      element("p", { class: "said customer" }, question || t.question),
      answer ? element("div", { class: "said" }, markdown(answer)) : element("p", { class: "quiet" }, t.noAnswer),
    );
  }

  function saveOnKey(event) {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (mayWrite) node.requestSubmit();
  }

  async function store() {
    say("");
    if (!fields.isValid()) return;
    try {
      const saved = await send(fields.values());
      fields.keep();
      toast(t.saved, { action: { label: t.publish, run: () => go(href("releases", base)) } });
      if (entry === null) go(href("entry", base, saved.key));
      else await reload();
    } catch (error) {
      if (error.type === "changed_meanwhile") await conflict();
      else if (!fields.blame(error)) say(explain(error, { name_taken: t.keyTaken }));
    }
  }

  function send(values, version = entry?.version) {
    if (entry === null) return post(path, values);
    const headers = version ? { "If-Match": `"${version}"` } : {};
    return put(`${path}/${encodeURIComponent(entry.key)}`, values, headers);
  }

  async function conflict() {
    const one = `${path}/${encodeURIComponent(entry.key)}`;
    const [theirs, { changes }] = await Promise.all([get(one), get(`${one}/history`)]);
    const choice = await showConflict(theirs, changes[0], fields.values());
    if (choice === "theirs") await reload();
    if (choice !== "mine") return;
    await send(fields.values(), theirs.version);
    toast(t.saved);
    await reload();
  }

  async function restore(state) {
    const { key: _key, ...values } = state;
    await send(values);
    toast(t.restored);
    await reload();
  }

  async function erase() {
    const sure = await confirm(t.deleteTitle, t.deleteSentence, t.delete, () => remove(`${path}/${encodeURIComponent(entry.key)}`));
    if (!sure) return;
    fields.keep();
    toast(t.deleted);
    go(href("faq", base));
  }

  function say(sentence) {
    problem.hidden = !sentence;
    problem.textContent = sentence;
  }
}
