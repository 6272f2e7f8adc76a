/** The FAQ: every entry of a knowledge base, to be found, looked at and changed, one or many. */

import { element } from "/page/dom.js";
import { get, post } from "../api.js";
import { field, input, searchBox, select } from "../forms.js";
import { openForm, toast } from "../layers.js";
import { button, emptyState, fill, linkButton, pageHead, tabs } from "../parts.js";
import { href, setQuery } from "../router.js";
import { refreshKnowledgeBases } from "../session.js";
import { pager } from "../table.js";
import { buildSelection } from "./faq/bulk.js";
import { showDuplicates } from "./faq/duplicates.js";
import { entryTable } from "./faq/list.js";
import { t } from "./faq/words.js";

const LIMIT = 50;

/** Show the page. */
export async function render(place, { parameters, query, session, go }) {
  place.classList.add("wide");
  const base = parameters.knowledgeBase ?? session.knowledgeBase;
  if (base === null) return place.append(pageHead(t.title, t.sentence), firstBase(session, go));
  const mayWrite = session.can("knowledge:write");
  place.append(pageHead(t.title, t.sentence, ...actions(base, mayWrite, go)), views(base, query));
  const area = element("div", { class: "stack" });
  place.append(area);
  if (query.get("view") === "duplicates") return showDuplicates(area, base, mayWrite);
  return showEntries(area, base, query, mayWrite);
}

function actions(base, mayWrite, go) {
  const download = linkButton(t.download, `/api/admin/knowledge-bases/${encodeURIComponent(base)}/export`, { kind: "quiet", icon: "download" });
  download.download = "";
  if (!mayWrite) return [download];
  return [
    download,
    button(t.newBase, () => void addBase(go), { kind: "quiet" }),
    linkButton(t.add, href("entry", base), { kind: "primary", icon: "plus" }),
  ];
}

function views(base, query) {
  const isDuplicates = query.get("view") === "duplicates";
  return tabs(t.title, [
    { label: t.all, address: href("faq", base), current: !isDuplicates },
    { label: t.duplicates, address: `${href("faq", base)}?view=duplicates`, current: isDuplicates },
  ]);
}

async function showEntries(area, base, query, mayWrite) {
  const wanted = {
    search: query.get("search") ?? "",
    status: query.get("status") ?? "",
    tag: query.get("tag") ?? "",
    offset: Number(query.get("offset")) || 0,
  };
  const filters = element("div", { class: "toolbar" });
  const list = element("div");
  const selection = buildSelection(base, () => wanted, load);
  area.append(filters, selection.node, list);
  filters.append(searchBox(t.search, wanted.search, (search) => change({ search })));
  await load();

  function change(values) {
    Object.assign(wanted, { offset: 0 }, values);
    selection.clear();
    load();
  }

  function load() {
    setQuery({ ...wanted, offset: wanted.offset || null });
    return fill(
      list,
      () => get(`/knowledge-bases/${encodeURIComponent(base)}/entries`, { ...wanted, limit: LIMIT }),
      draw,
    );
  }

  function draw(found) {
    drawFilters(filters, found, wanted, change);
    if (found.total === 0) return nothing(found, wanted, change, base, mayWrite);
    selection.show(found, mayWrite);
    return [
      entryTable(base, found.entries, mayWrite ? selection : null),
      pager({ offset: wanted.offset, limit: LIMIT, total: found.total }, (offset) => change({ offset })),
    ];
  }
}

/** The counts are those of the whole knowledge base, whatever is looked for. */
function drawFilters(filters, { statuses, tags }, wanted, change) {
  const [search] = filters.children;
  const all = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const byStatus = [
    ["", `${t.anyStatus} (${all})`],
    ...Object.entries(t.statuses).map(([status, label]) => [status, `${label} (${statuses[status] ?? 0})`]),
  ];
  const byTag = [["", t.anyTag], ...tags.map(({ tag, count }) => [tag, `${tag} (${count})`])];
  const chosen = (name, options, label) => {
    const control = select(name, options, wanted[name], { "aria-label": label });
    control.addEventListener("change", () => change({ [name]: control.value }));
    return control;
  };
  const selects = [chosen("status", byStatus, t.status)];
  if (tags.length > 0) selects.push(chosen("tag", byTag, t.tags));
  const focused = filters.contains(document.activeElement) ? document.activeElement.name : null;
  for (const old of filters.querySelectorAll("select")) old.remove();
  search.after(...selects);
  if (focused && focused !== "search") filters.querySelector(`[name=${focused}]`)?.focus();
}

function nothing({ statuses }, wanted, change, base, mayWrite) {
  const isEmpty = Object.keys(statuses).length === 0;
  if (!isEmpty) {
    const clear = button(t.clear, () => change({ search: "", status: "", tag: "" }));
    return emptyState("search", t.notFound, t.notFoundSentence, clear);
  }
  if (!mayWrite) return emptyState("faq", t.empty, t.emptyReader);
  return emptyState(
    "faq",
    t.empty,
    t.emptySentence,
    linkButton(t.upload, href("upload", base), { kind: "primary", icon: "upload" }),
    linkButton(t.add, href("entry", base), { icon: "plus" }),
  );
}

function firstBase(session, go) {
  if (!session.can("knowledge:write")) return emptyState("base", t.noBase, t.noBaseReader);
  const make = button(t.newBase, () => void addBase(go), { kind: "primary", icon: "plus" });
  return emptyState("base", t.noBase, t.noBaseSentence, make);
}

async function addBase(go) {
  const name = field(t.baseName, input("name", { maxlength: 60 }), { hint: t.baseHint });
  const problems = { name_taken: t.baseTaken };
  const made = await openForm(t.newBase, [name], t.make, (values) => post("/knowledge-bases", values), { problems });
  if (made === null) return;
  await refreshKnowledgeBases();
  toast(t.baseMade(made.name));
  go(href("faq", made.name));
}
