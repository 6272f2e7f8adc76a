/** Entries that ask nearly the same, side by side. */

import { element } from "/page/dom.js";
import { get, post } from "../../api.js";
import { toast } from "../../layers.js";
import { badge, button, emptyState, fill, markdown } from "../../parts.js";
import { href } from "../../router.js";
import { t } from "./words.js";

const MOST = 200;

/** Show the pairs of a knowledge base. */
export function showDuplicates(area, base, mayWrite) {
  const path = `/knowledge-bases/${encodeURIComponent(base)}`;
  const load = () => fill(area, () => get(`${path}/duplicates`), draw);
  return load();

  function draw({ pairs }) {
    if (pairs.length === 0) return emptyState("check", t.noDuplicates, t.noDuplicatesSentence);
    const cut = pairs.length === MOST ? [element("p", { class: "quiet" }, t.shown(MOST))] : [];
    return [...cut, ...pairs.map(pair)];
  }

  function pair({ conflicting, entries, questions }) {
    const mark = conflicting ? badge(t.conflicting, "bad") : badge(t.same);
    const sides = entries.map((entry, at) => side(entry, questions[at]));
    return element("section", { class: "card pair" }, mark, element("div", { class: "sides" }, ...sides));
  }

  function side(entry, question) {
    const disable = async () => {
      await post(`${path}/entries/bulk`, { keys: [entry.key], action: "disable" });
      toast(t.disabledOne(entry.key));
      await load();
    };
    const asked = question === entry.question ? null : element("p", { class: "quiet" }, question);
    const link = element("a", { href: href("entry", base, entry.key) }, entry.question);
    const actions = mayWrite ? [button(t.disable, disable, { kind: "quiet" })] : [];
    return element("article", {}, element("h3", {}, link), asked, markdown(entry.answer), ...actions);
  }
}
