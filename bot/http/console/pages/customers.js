/** Settings, customers: what is kept of one, to be given out or erased. */

import { element, icon } from "/page/dom.js";
import { get, post } from "../api.js";
import { field, form, input } from "../forms.js";
import { confirm, toast } from "../layers.js";
import { badge, button, card, clockTime } from "../parts.js";
import { words } from "../words.js";

const t = words({
  zh: {
    sentence: "客户要求查看或删除自己的数据时，在这里查找、导出和删除。",
    name: "客户",
    nameHint: "访客号、贵网站的用户 ID、会话号，或渠道上的用户或会话名。要写完整。",
    find: "查找",
    notFound: "没有保存这位客户的任何数据。",
    found: "保存的数据",
    knownAs: "标识",
    channels: "渠道",
    conversations: "会话",
    turns: "提问",
    messages: "人工的话",
    threads: "渠道上的位置",
    first: "最早",
    last: "最近",
    export: "导出 JSON",
    erase: "全部删除",
    eraseOf: "永久删除这位客户的全部数据？",
    eraseSentence: (found) =>
      `${found.conversations} 个会话、${found.turns} 个提问以及一切与之有关的内容会被删除，无法恢复，统计数字也会随之减少。操作记录只留下“删除过”，不留下是谁。此前的备份里仍有这些数据。`,
    erased: "已删除这位客户的全部数据",
    inFaq: (entries) => `知识库条目 ${entries} 里有这位客户的原话，不会随之删除，请编辑条目。`,
  },
  en: {
    sentence: "When a customer asks to see or delete their data: find it here, give it out, erase it.",
    name: "Customer",
    nameHint: "A visitor, your site's id of a user, a conversation, or a user or thread of a channel. In full.",
    find: "Find",
    notFound: "Nothing is kept of such a customer.",
    found: "What is kept",
    knownAs: "Known as",
    channels: "Channels",
    conversations: "Conversations",
    turns: "Questions",
    messages: "Lines of agents",
    threads: "Places on channels",
    first: "First",
    last: "Last",
    export: "Export as JSON",
    erase: "Erase everything",
    eraseOf: "Erase all of this customer's data for good?",
    eraseSentence: (found) =>
      `${found.conversations} conversations, ${found.turns} questions and all that belongs to them are deleted and cannot be brought back; the statistics count them no more. The audit log keeps that it was done, not whose it was. Backups made before still have them.`,
    erased: "All of this customer's data is erased",
    inFaq: (entries) => `The FAQ entries ${entries} have this customer's own words. They stay; please edit them.`,
  },
});

/** Show the section. */
export async function render(place) {
  const result = element("div", { "aria-live": "polite" });
  const look = async (name) => result.replaceChildren(found(name, await get("/customers", { name }), result));
  const name = field(t.name, input("name", { maxlength: 500 }), { hint: t.nameHint });
  const search = form([name], t.find, (values) => look(values.name.trim()), { problems: { not_found: t.notFound } });
  search.addEventListener("submit", () => result.replaceChildren());
  const sentence = element("p", { class: "quiet" }, t.sentence);
  place.append(element("div", { class: "stack" }, sentence, card(null, search), result));
}

function found(name, customer, result) {
  const facts = [
    [t.knownAs, customer.visitors.map((visitor) => element("code", {}, visitor))],
    [t.channels, customer.channels.map((channel) => badge(channel))],
    [t.conversations, [String(customer.conversations)]],
    [t.turns, [String(customer.turns)]],
    [t.messages, [String(customer.messages)]],
    [t.threads, [String(customer.threads)]],
    [t.first, customer.first_at ? [clockTime(customer.first_at)] : []],
    [t.last, customer.last_at ? [clockTime(customer.last_at)] : []],
  ].filter(([, values]) => values.length > 0);
  const list = facts.flatMap(([label, values]) => [
    element("dt", {}, label),
    element("dd", {}, ...values.flatMap((value) => [value, " "])),
  ]);
  const warning = customer.in_faq.length > 0 && note(customer);
  const actions = element(
    "div",
    { class: "form-buttons" },
    button(t.export, () => save(name), { icon: "file" }),
    button(t.erase, () => erase(name, customer, result), { kind: "danger", icon: "trash" }),
  );
  const shown = element("dl", { class: "facts-list" }, ...list);
  return card(t.found, element("div", { class: "stack" }, shown, warning || null, actions));
}

function note(customer) {
  return element("p", { class: "note warn" }, icon("warning"), t.inFaq(customer.in_faq.join(", ")));
}

async function save(name) {
  const held = await get("/customers/export", { name });
  const address = URL.createObjectURL(new Blob([JSON.stringify(held, null, 2)], { type: "application/json" }));
  element("a", { href: address, download: "customer.json" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}

async function erase(name, customer, result) {
  const act = () => post("/customers/erase", { name });
  if (!(await confirm(t.eraseOf, t.eraseSentence(customer), t.erase, act))) return;
  toast(t.erased);
  result.replaceChildren();
}
