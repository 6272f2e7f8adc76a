/** Tables, which become cards on phones. */

import { element, iconButton } from "/page/dom.js";
import { locale, words } from "./words.js";

const t = words({
  zh: {
    actions: "操作",
    pages: "分页",
    range: (from, to, total) => `第 ${from}–${to} 条，共 ${total} 条`,
    previous: "上一页",
    next: "下一页",
  },
  en: {
    actions: "Actions",
    pages: "Pages",
    range: (from, to, total) => `${from}–${to} of ${total}`,
    previous: "Previous page",
    next: "Next page",
  },
});

/**
 * Make a table. A column is {title, cell(row), kind?}: `kind` is "main" for what a row is called, "number", "select",
 * "reason", "actions" (which needs no title) or nothing; `title` may be an element. `label` says what the table lists. Cards are
 * `dense` if all but the main part of a row says itself what it is, and has room in one line.
 */
export function table(label, columns, rows, { dense = false } = {}) {
  const head = columns.map((column) => element("th", { scope: "col", class: column.kind ?? null }, titleOf(column)));
  const body = rows.map((row) => element("tr", {}, ...columns.map((column) => cellOf(column, row))));
  return element(
    "div",
    { class: dense ? "table dense" : "table" },
    element(
      "table",
      { "aria-label": label },
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  );
}

function titleOf(column) {
  return column.kind === "actions" ? element("span", { class: "visually-hidden" }, t.actions) : column.title;
}

function cellOf(column, row) {
  const title = typeof column.title === "string" ? column.title : null;
  const content = column.cell(row);
  return element("td", { class: column.kind ?? null, "data-title": title }, ...[content].flat());
}

/** Make the line below a table that leads to its other parts; `turn(offset)` is called with where the next begins. */
export function pager({ offset, limit, total }, turn) {
  const numbers = new Intl.NumberFormat(locale);
  const to = Math.min(offset + limit, total);
  const range = t.range(numbers.format(total === 0 ? 0 : offset + 1), numbers.format(to), numbers.format(total));
  const back = iconButton("back", t.previous, {
    disabled: offset === 0,
    click: () => turn(Math.max(0, offset - limit)),
  });
  const on = iconButton("arrow", t.next, { disabled: to >= total, click: () => turn(offset + limit) });
  return element(
    "nav",
    { class: "pager", "aria-label": t.pages },
    element("span", { "aria-live": "polite" }, range),
    back,
    on,
  );
}
