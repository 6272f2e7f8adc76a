/** What an upload would change. */

import { element, icon } from "/page/dom.js";
import { excerpt } from "../../excerpt.js";
import { badge, button } from "../../parts.js";
import { sayReason } from "../../reasons.js";
import { table } from "../../table.js";
import { changedFields } from "../entry/difference.js";
import { t } from "./words.js";

const PREVIEW = 120;

/** Build the preview with its buttons. */
export function buildPreview(found, buttons) {
  const views = [
    { label: t.added, count: found.added_count, draw: () => entries(found.added, found.added_count) },
    { label: t.changed, count: found.changed_count, draw: () => changes(found.changed, found.changed_count) },
    { label: t.errors, count: found.errors_count, draw: () => errors(found) },
    { label: t.unchanged, count: found.unchanged, draw: () => [element("p", { class: "quiet" }, t.unchangedSentence)] },
  ];
  const shown = element("div", { class: "stack" });
  const tablist = element("div", { class: "views", role: "tablist" });
  for (const view of views) {
    const tab = element("button", { type: "button", role: "tab", class: "view", click: () => open(view, tab) }, `${view.label} ${view.count}`);
    if (view.count === 0) tab.disabled = true;
    tablist.append(tab);
    view.tab = tab;
  }
  const first = views.find((view) => view.count > 0) ?? views.at(-1);
  open(first, first.tab);
  const head = element("div", { class: "section-head" }, element("h2", {}, t.preview(found.name)), element("div", { class: "actions" }, ...buttons));
  return element("section", { class: "card stack" }, head, ...notes(found), tablist, shown);

  function open(view, tab) {
    for (const each of tablist.children) each.setAttribute("aria-selected", String(each === tab));
    shown.replaceChildren(...view.draw());
  }
}

function notes(found) {
  const made = [];
  if (found.drafts && found.added_count > 0) made.push(note("info", "", t.becomeDrafts));
  if (found.ignored_columns.length > 0) made.push(note("info", "", t.ignored(found.ignored_columns.join(", "))));
  if (found.conflicts.length > 0) {
    const pairs = found.conflicts.map(({ first, second }) =>
      element("li", {}, t.conflict(`${first.question} (${first.key})`, `${second.question} (${second.key})`)),
    );
    made.push(note("warning", "warn", element("div", {}, t.conflicts(pairs.length), element("ul", {}, ...pairs))));
  }
  return made;
}

function note(drawing, kind, content) {
  return element("div", { class: `note ${kind}`.trim() }, icon(drawing), content);
}

function entries(list, count) {
  const columns = [
    { title: t.question, kind: "main", cell: (entry) => entry.question },
    { title: t.answer, cell: (entry) => excerpt(entry.answer, PREVIEW) },
    { title: t.variants, kind: "number", cell: (entry) => String(entry.variants.length) },
    { title: t.tags, cell: (entry) => element("span", { class: "badges" }, ...entry.tags.map((tag) => badge(tag))) },
  ];
  return [table(t.added, columns, list), ...cut(list, count)];
}

function changes(list, count) {
  const parts = list.map(({ before, after }) =>
    element("article", { class: "change" }, element("h3", {}, `${after.question} `, element("code", {}, after.key)), changedFields(before, after)),
  );
  return [...parts, ...cut(list, count)];
}

function errors({ name, errors: list, errors_count: count }) {
  const columns = [
    { title: t.row, kind: "number", cell: (error) => String(error.row) },
    { title: t.column, cell: (error) => error.column },
    { title: t.reason, kind: "reason", cell: reasonOf },
    { title: t.text, kind: "main", cell: (error) => element("span", { class: "row-text", title: error.text }, error.text) },
  ];
  const save = button(t.saveErrors, () => download(name, list), { icon: "download" });
  return [element("p", {}, t.errorsSentence), table(t.errors, columns, list, { dense: true }), ...cut(list, count), save];
}

function reasonOf({ code, facts, reason }) {
  return sayReason({ code, facts }) ?? reason;
}

function cut(list, count) {
  return list.length < count ? [element("p", { class: "quiet" }, t.first(list.length, count))] : [];
}

function download(name, list) {
  const cell = (value) => `"${String(value).replace(/^([=+\-@])/, "'$1").replaceAll('"', '""')}"`;
  const lines = [[t.row, t.column, t.reason, t.text], ...list.map((error) => [error.row, error.column, reasonOf(error), error.text])];
  const file = new Blob([`\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}`], { type: "text/csv" });
  const link = element("a", { href: URL.createObjectURL(file), download: `${name}.errors.csv` });
  link.click();
  URL.revokeObjectURL(link.href);
}
