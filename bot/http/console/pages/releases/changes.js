/** What publishing would change for customers. */

import { element } from "/page/dom.js";
import { badge, card } from "../../parts.js";
import { changedFields } from "../entry/difference.js";
import { t } from "./words.js";

/** Make the card with its buttons. */
export function changesCard(draft, buttons) {
  const count = draft.added_count + draft.changed_count + draft.removed_count;
  if (count === 0) return card(t.changes, element("p", { class: "quiet" }, t.noChanges));
  const head = element(
    "div",
    { class: "section-head" },
    element("p", { class: "badges" }, ...counts(draft)),
    element("div", { class: "actions" }, ...buttons),
  );
  const parts = [
    part(t.added, draft.added, draft.added_count, (entry) => item(entry.question, entry.key, element("p", {}, entry.answer))),
    part(t.changed, draft.changed, draft.changed_count, ({ before, after }) => item(after.question, after.key, changedFields(before, after))),
    part(t.removed, draft.removed, draft.removed_count, (entry) => item(entry.question, entry.key, element("p", {}, entry.answer))),
  ];
  return card(t.changes, head, ...parts.filter(Boolean));
}

function counts(draft) {
  return [
    [draft.added_count, t.added, "good"],
    [draft.changed_count, t.changed, "info"],
    [draft.removed_count, t.removed, "bad"],
  ]
    .filter(([count]) => count > 0)
    .map(([count, label, colour]) => badge(`${label} ${count}`, colour));
}

function part(title, list, count, draw) {
  if (count === 0) return null;
  const cut = list.length < count ? [element("p", { class: "quiet" }, t.first(list.length, count))] : [];
  return element("details", { class: "changes", open: count <= 5 }, element("summary", {}, `${title} (${count})`), ...list.map(draw), ...cut);
}

function item(question, key, content) {
  return element("article", { class: "change" }, element("h3", {}, `${question} `, element("code", {}, key)), content);
}
