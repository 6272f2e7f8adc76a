/** The table of entries. */

import { element } from "/page/dom.js";
import { excerpt } from "../../excerpt.js";
import { badge, time } from "../../parts.js";
import { href } from "../../router.js";
import { table } from "../../table.js";
import { STATUS_COLOURS, t } from "./words.js";

const PREVIEW = 90;

/** Make the table; with a `selection`, each row can be ticked. */
export function entryTable(base, entries, selection) {
  const columns = [
    { title: t.question, kind: "main", cell: (entry) => question(base, entry) },
    { title: t.variants, kind: "number", cell: (entry) => String(entry.variants.length) },
    { title: t.tags, cell: (entry) => element("span", { class: "badges" }, ...entry.tags.map((tag) => badge(tag))) },
    { title: t.status, cell: (entry) => element("span", { class: "badges" }, ...statusBadges(entry)) },
    { title: t.changed, cell: (entry) => time(entry.updated_at) },
  ];
  if (selection) columns.unshift(selection.column(entries));
  return table(t.title, columns, entries, { dense: true });
}

function question(base, entry) {
  return [
    element("a", { href: href("entry", base, entry.key) }, entry.question),
    element("span", { class: "entry-answer" }, excerpt(entry.answer, PREVIEW)),
  ];
}

/** Return the status of an entry, and whether it holds today. */
export function statusBadges(entry) {
  const today = new Date().toLocaleDateString("sv");
  const badges = [badge(t.statuses[entry.status], STATUS_COLOURS[entry.status])];
  if (entry.valid_from && entry.valid_from > today) badges.push(badge(t.notYet(entry.valid_from), "info"));
  if (entry.valid_until && entry.valid_until < today) badges.push(badge(t.expired, "bad"));
  return badges;
}
