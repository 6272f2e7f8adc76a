/** Finding an entry by its words. */

import { element } from "/page/dom.js";
import { get } from "../../api.js";
import { excerpt } from "../../excerpt.js";
import { searchBox } from "../../forms.js";
import { openDialog } from "../../layers.js";
import { fill } from "../../parts.js";
import { t } from "./words.js";

const SHOWN = 8;
const PREVIEW = 120;

/** Ask for an entry of a knowledge base; resolves to it, or to null. */
export function entryPicker(base, question) {
  const found = element("div", { class: "offered" });
  const search = (text) =>
    fill(found, () => get(`/knowledge-bases/${encodeURIComponent(base)}/entries`, { search: text, limit: SHOWN }), draw);
  const dialog = openDialog(t.pick, element("p", { class: "quiet" }, question), searchBox(t.search, "", search), found);
  search("");
  return dialog.closed;

  function draw({ entries }) {
    if (entries.length === 0) return element("p", { class: "quiet" }, t.notFound);
    return entries.map((entry) =>
      element("button", { type: "button", click: () => dialog.close(entry) }, element("strong", {}, entry.question), element("span", {}, excerpt(entry.answer, PREVIEW))),
    );
  }
}
