/** Settings, the audit log: who did what, newest first. */

import { element } from "/page/dom.js";
import { get } from "../api.js";
import { searchBox } from "../forms.js";
import { button, emptyState, exactTime, fill } from "../parts.js";
import { table } from "../table.js";
import { words } from "../words.js";

const LIMIT = 100;

const t = words({
  zh: {
    sentence: "谁在什么时候做了什么。记录不能修改，也不能删除。",
    filter: "按人员、操作或对象筛选",
    at: "时间",
    actor: "操作人",
    action: "操作",
    target: "对象",
    details: "详情",
    older: "加载更早的记录",
    empty: "还没有记录",
    emptySentence: "登录、改动知识库、发布、管理用户和密钥，都会记在这里。",
    noMatch: "没有符合的记录",
    noMatchSentence: "换个词试试，或加载更早的记录。",
    names: {
      address: "IP 地址",
      role: "角色",
      active: "启用",
      password: "重置密码",
      scopes: "权限",
      note: "说明",
      file: "文件",
      changed: "修改",
      added: "新增",
      tag: "标签",
      questions: "问题",
      conversations: "会话",
      turns: "提问",
      threads: "渠道上的位置",
      instead_of: "原来由",
      to: "交给",
    },
    commandLine: "命令行",
    yes: "是",
    values: { bot: "机器人", closed: "结束" },
    no: "否",
    actions: {
      login: "登录",
      "password.changed": "修改密码",
      "user.added": "添加用户",
      "user.changed": "修改用户",
      "user.deleted": "删除用户",
      "key.added": "创建密钥",
      "key.deleted": "吊销密钥",
      "knowledge_base.added": "新建知识库",
      "entry.added": "添加条目",
      "entry.changed": "修改条目",
      "entry.deleted": "删除条目",
      "entries.publish": "批量发布条目",
      "entries.draft": "批量转为草稿",
      "entries.disable": "批量停用条目",
      "entries.delete": "批量删除条目",
      "entries.add_tag": "批量添加标签",
      "entries.remove_tag": "批量移除标签",
      "upload.applied": "导入",
      "release.published": "发布",
      "release.restored": "回滚",
      "tests.added": "添加测试问题",
      "tests.deleted": "移除测试问题",
      "conversation.taken": "接管会话",
      "conversation.released": "结束接管",
      "review.variant": "改进：加为相似问",
      "review.entry": "改进：新建条目",
      "review.ignore": "改进：忽略",
      "settings.changed": "修改设置",
      "customer.exported": "导出客户数据",
      "customer.erased": "删除客户数据",
    },
  },
  en: {
    sentence: "Who did what, and when. Nobody can change or delete it.",
    filter: "Filter by person, action or object",
    at: "Time",
    actor: "Who",
    action: "Action",
    target: "Object",
    details: "Details",
    older: "Load older entries",
    empty: "Nothing yet",
    emptySentence: "Logins, changes of the FAQ, releases, users and keys are written down here.",
    noMatch: "Nothing matches",
    noMatchSentence: "Try another word, or load older entries.",
    names: {
      address: "IP address",
      role: "Role",
      active: "Active",
      password: "New password",
      scopes: "Scopes",
      note: "Note",
      file: "File",
      changed: "Changed",
      added: "Added",
      tag: "Tag",
      questions: "Questions",
      conversations: "Conversations",
      turns: "Questions",
      threads: "Places on channels",
      instead_of: "Instead of",
      to: "To",
    },
    commandLine: "The command line",
    yes: "yes",
    values: { bot: "the bot", closed: "nobody: it is closed" },
    no: "no",
    actions: {
      login: "Logged in",
      "password.changed": "Changed password",
      "user.added": "Added a user",
      "user.changed": "Changed a user",
      "user.deleted": "Deleted a user",
      "key.added": "Made a key",
      "key.deleted": "Revoked a key",
      "knowledge_base.added": "Added a knowledge base",
      "entry.added": "Added an entry",
      "entry.changed": "Changed an entry",
      "entry.deleted": "Deleted an entry",
      "entries.publish": "Marked entries for publishing",
      "entries.draft": "Made entries drafts",
      "entries.disable": "Disabled entries",
      "entries.delete": "Deleted entries",
      "entries.add_tag": "Added a tag",
      "entries.remove_tag": "Removed a tag",
      "upload.applied": "Uploaded",
      "release.published": "Published",
      "release.restored": "Rolled back",
      "tests.added": "Added test questions",
      "tests.deleted": "Removed test questions",
      "conversation.taken": "Took a conversation over",
      "conversation.released": "Released a conversation",
      "review.variant": "Review: added variants",
      "review.entry": "Review: made an entry",
      "review.ignore": "Review: ignored",
      "settings.changed": "Changed settings",
      "customer.exported": "Exported a customer's data",
      "customer.erased": "Erased a customer's data",
    },
  },
});

/** Show the section. */
export async function render(place) {
  const entries = [];
  let wanted = "";
  const rows = element("div");
  const older = button(t.older, async () => {
    await load();
    draw();
  });
  const load = async () => {
    const page = (await get("/audit", { limit: LIMIT, before: entries.at(-1)?.id })).entries;
    entries.push(...page);
    older.hidden = page.length < LIMIT;
  };
  const draw = () => rows.replaceChildren(auditTable(entries, wanted));
  const search = searchBox(t.filter, "", (text) => {
    wanted = text.toLowerCase();
    draw();
  });
  const list = element("div");
  const toolbar = element("div", { class: "toolbar" }, search);
  place.append(element("div", { class: "section-head" }, element("p", { class: "quiet" }, t.sentence)), toolbar, list);
  await fill(list, load, () => {
    draw();
    return [rows, element("div", { class: "more" }, older)];
  });
}

function auditTable(entries, wanted) {
  if (entries.length === 0) return emptyState("audit", t.empty, t.emptySentence);
  const shown = entries.filter((entry) => textOf(entry).includes(wanted));
  if (shown.length === 0) return emptyState("search", t.noMatch, t.noMatchSentence);
  return table(
    t.sentence,
    [
      { title: t.action, kind: "main", cell: (entry) => nameOf(entry.action) },
      { title: t.target, cell: (entry) => (entry.target === entry.actor ? "" : entry.target) },
      { title: t.actor, cell: (entry) => actorOf(entry) },
      { title: t.details, cell: (entry) => detailsOf(entry) },
      { title: t.at, cell: (entry) => exactTime(entry.at) },
    ],
    shown,
    { dense: true },
  );
}

function nameOf(action) {
  return t.actions[action] ?? action;
}

function actorOf({ actor }) {
  return actor === "command line" ? t.commandLine : actor;
}

function textOf(entry) {
  return [actorOf(entry), entry.action, nameOf(entry.action), entry.target].join(" ").toLowerCase();
}

function detailsOf(entry) {
  const said = describe(entry.details);
  return said && element("span", { class: "quiet" }, said);
}

function describe(details) {
  return Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${t.names[name] ?? name}: ${(name === "to" && t.values[value]) || inWords(value)}`)
    .join(" · ");
}

function inWords(value) {
  if (typeof value === "boolean") return value ? t.yes : t.no;
  if (Array.isArray(value)) return value.map(inWords).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
