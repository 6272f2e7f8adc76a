/** The test set: questions with the entry that should answer each. */

import { element } from "/page/dom.js";
import { get, post } from "../api.js";
import { field, input, textarea } from "../forms.js";
import { openForm, toast } from "../layers.js";
import { button, emptyState, fill, pageHead } from "../parts.js";
import { href } from "../router.js";
import { table } from "../table.js";
import { words } from "../words.js";

const t = words({
  zh: {
    back: "← 返回发布",
    title: "测试集",
    sentence: "真实客户的问题，各自标明应当由哪个条目回答。FAQ 里已有的问法太容易命中，用它们测不出差别。",
    add: "添加问题",
    many: "批量添加",
    question: "问题",
    key: "条目编号",
    keyHint: "应当回答它的条目的编号，例如 RET-1。",
    pasted: "每行一个：问题，制表符或逗号，条目编号",
    pasteHint: "可以直接从表格里复制两列粘贴。",
    badLine: (line) => `第 ${line} 行缺少条目编号`,
    save: "添加",
    added: (count) => `已添加 ${count} 个问题`,
    remove: "移除",
    removed: "已移除",
    empty: "还没有测试问题",
    emptySentence: "从客户真正问过的问题里挑 20 到 50 个，标明答案在哪个条目。之后每次发布前检查一遍，就知道有没有变差。",
  },
  en: {
    back: "← Back to releases",
    title: "Test set",
    sentence: "Real customers' questions, each with the entry that should answer it. Questions from the FAQ itself are found too easily to show a difference.",
    add: "Add a question",
    many: "Add many",
    question: "Question",
    key: "Key of the entry",
    keyHint: "Of the entry that should answer it, such as RET-1.",
    pasted: "One a line: the question, a tab or comma, the entry's key",
    pasteHint: "Two columns copied from a spreadsheet are fine.",
    badLine: (line) => `Line ${line} has no key`,
    save: "Add",
    added: (count) => `${count} questions added`,
    remove: "Take out",
    removed: "Taken out",
    empty: "No test questions yet",
    emptySentence: "Take 20 to 50 questions that customers really asked and say which entry answers each. Checked before every release, they tell whether anything got worse.",
  },
});

/** Show the page. */
export async function render(place, { parameters, session }) {
  const base = parameters.knowledgeBase;
  const path = `/knowledge-bases/${encodeURIComponent(base)}/tests`;
  const mayWrite = session.can("knowledge:write");
  const list = element("div");
  const actions = [
    button(t.many, () => void addMany(), {}),
    button(t.add, () => void addOne(), { kind: "primary", icon: "plus" }),
  ];
  place.append(
    element("a", { class: "back", href: href("releases", base) }, t.back),
    pageHead(t.title, t.sentence, ...(mayWrite ? actions : [])),
    list,
  );
  await load();

  function load() {
    return fill(list, () => get(path), draw);
  }

  function draw({ cases }) {
    if (cases.length === 0) return emptyState("check", t.empty, t.emptySentence);
    const columns = [
      { title: t.question, kind: "main", cell: (each) => each.question },
      { title: t.key, cell: (each) => element("a", { href: href("entry", base, each.key) }, each.key) },
    ];
    if (mayWrite) columns.push({ kind: "actions", cell: (each) => button(t.remove, () => takeOut(each), { kind: "quiet" }) });
    return table(t.title, columns, cases);
  }

  async function takeOut({ question }) {
    await post(`${path}/delete`, { questions: [question] });
    toast(t.removed);
    await load();
  }

  async function addOne() {
    const fields = [field(t.question, input("question", { maxlength: 500 })), field(t.key, input("key", { maxlength: 100 }), { hint: t.keyHint })];
    await add(fields, (values) => [{ question: values.question.trim(), key: values.key.trim() }]);
  }

  async function addMany() {
    const pasted = field(t.pasted, textarea("pasted", { rows: 8 }), { hint: t.pasteHint, check: checkLines });
    await add([pasted], (values) => readLines(values.pasted).map(([question, key]) => ({ question, key })));
  }

  async function add(fields, read) {
    let count = 0;
    const made = await openForm(t.add, fields, t.save, (values) => {
      const cases = read(values);
      count = cases.length;
      return post(path, { cases });
    });
    if (made === null) return;
    toast(t.added(count));
    await load();
  }
}

function readLines(text) {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => /^(.*)[\t,，]([^\t,，]+)$/.exec(line.trim())?.slice(1).map((part) => part.trim()) ?? [line.trim(), ""]);
}

function checkLines(text) {
  const bad = readLines(text).findIndex(([question, key]) => !question || !key);
  return bad === -1 ? null : t.badLine(bad + 1);
}
