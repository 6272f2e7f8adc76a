/** Entries that are ticked, and what can be done to all of them. */

import { element, icon } from "/page/dom.js";
import { get, post } from "../../api.js";
import { field, input } from "../../forms.js";
import { confirm, menu, openForm, toast } from "../../layers.js";
import { button } from "../../parts.js";
import { t } from "./words.js";

const PAGE = 500;

/** Build the bar; `wanted()` is what is being looked for, `reload()` shows the list anew. */
export function buildSelection(base, wanted, reload) {
  const path = `/knowledge-bases/${encodeURIComponent(base)}/entries`;
  const node = element("div", { class: "selection", role: "status", hidden: true });
  const chosen = new Set();
  let found = { total: 0, entries: [] };
  return { node, clear, column, show };

  function show(page) {
    found = page;
    draw();
  }

  function clear() {
    chosen.clear();
    draw();
  }

  function column(entries) {
    const all = element("input", { type: "checkbox", "aria-label": t.selectAll });
    all.addEventListener("change", () => {
      for (const entry of entries) choose(entry.key, all.checked);
      for (const box of document.querySelectorAll("[data-key]")) box.checked = all.checked;
      draw();
    });
    return { title: all, kind: "select", cell: (entry) => box(entry) };
  }

  function box(entry) {
    const attributes = { type: "checkbox", "data-key": entry.key, "aria-label": t.select(entry.question) };
    const node = element("input", { ...attributes, checked: chosen.has(entry.key) });
    node.addEventListener("change", () => (choose(entry.key, node.checked), draw()));
    return node;
  }

  function choose(key, isChosen) {
    if (isChosen) chosen.add(key);
    else chosen.delete(key);
  }

  function draw() {
    node.hidden = chosen.size === 0;
    if (node.hidden) return;
    const more = found.total > chosen.size ? button(t.selectFound(found.total), selectFound, { kind: "quiet" }) : null;
    const act = element("button", { type: "button", class: "button" }, icon("edit"), t.selected(chosen.size));
    menu(act, () => Object.entries(t.actions).map(([action, label]) => item(action, label)));
    node.replaceChildren(act, ...[more].filter(Boolean), button(t.unselect, unselect, { kind: "quiet" }));
  }

  function item(action, label) {
    return { label, danger: action === "delete", run: () => void run(action, label) };
  }

  function unselect() {
    clear();
    for (const box of document.querySelectorAll(".select input")) box.checked = false;
  }

  async function selectFound() {
    for (let offset = 0; offset < found.total; offset += PAGE) {
      const { entries } = await get(path, { ...wanted(), offset, limit: PAGE });
      for (const entry of entries) chosen.add(entry.key);
    }
    for (const box of document.querySelectorAll("[data-key]")) box.checked = chosen.has(box.dataset.key);
    draw();
  }

  async function run(action, label) {
    const send = (body = {}) => post(`${path}/bulk`, { keys: [...chosen], action, ...body });
    const result = await ask(action, label, send);
    if (result === null) return;
    toast(t.done(result.changed));
    clear();
    await reload();
  }

  async function ask(action, label, send) {
    if (action.endsWith("_tag")) {
      return openForm(label, [field(t.tag, input("tag", { maxlength: 60 }))], label.replace("…", ""), send);
    }
    if (action !== "delete") return send();
    let result = null;
    const remove = async () => (result = await send());
    await confirm(t.deleteTitle(chosen.size), t.deleteSentence, t.deleteAction, remove);
    return result;
  }
}
