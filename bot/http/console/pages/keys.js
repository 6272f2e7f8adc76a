/** Settings, API keys: what programs log in with. */

import { element, icon, iconButton } from "/page/dom.js";
import { get, post, remove } from "../api.js";
import { checkbox, field, input } from "../forms.js";
import { confirm, openDialog, openForm, toast } from "../layers.js";
import { badge, button, copyButton, emptyState, fill, time } from "../parts.js";
import { table } from "../table.js";
import { words } from "../words.js";

const t = words({
  zh: {
    sentence: "让您的程序通过 REST 接口维护知识库、读取会话。每个程序用各自的密钥，停用一个不影响其他。",
    add: "新建密钥",
    addAction: "创建",
    name: "名称",
    nameHint: "写明给哪个程序用，例如“ERP 同步”。",
    scopes: "权限",
    scopesHint: "只勾选需要的。",
    scope: {
      "knowledge:read": ["查看知识库", "读取条目、版本和统计"],
      "knowledge:write": ["修改知识库", "添加、修改、导入和发布"],
      "conversations:read": ["查看会话", "读取客户会话和待改进的问题"],
      "conversations:write": ["处理会话", "接管、回复和结束会话"],
      admin: ["管理", "管理用户、密钥和设置"],
    },
    noScopes: "请至少选择一项权限",
    key: "密钥",
    by: "创建者",
    created: "创建时间",
    used: "最近使用",
    empty: "还没有密钥",
    emptySentence: "需要让其他系统自动更新知识库时，在这里创建一个密钥，放进请求头 Authorization: Bearer …",
    shownOnce: "密钥已创建",
    shownOnceSentence: "请现在复制并妥善保存：关闭后就再也看不到了。",
    done: "我已保存",
    revoke: "吊销",
    revokeOf: (name) => `吊销“${name}”？`,
    revokeSentence: "使用它的程序会立刻无法访问，且不能恢复。",
    revoked: (name) => `已吊销“${name}”`,
  },
  en: {
    sentence:
      "With a key, your own programs keep the FAQ and read conversations over the REST API. Give each program its own.",
    add: "New key",
    addAction: "Make the key",
    name: "Name",
    nameHint: "Say which program it is for: “ERP sync”.",
    scopes: "Permissions",
    scopesHint: "Tick only what is needed.",
    scope: {
      "knowledge:read": ["Read the FAQ", "Entries, releases and statistics"],
      "knowledge:write": ["Change the FAQ", "Add, change, upload and publish"],
      "conversations:read": ["Read conversations", "Conversations and the review"],
      "conversations:write": ["Handle conversations", "Take over, reply and close"],
      admin: ["Administer", "Users, keys and settings"],
    },
    noScopes: "Tick at least one",
    key: "Key",
    by: "Made by",
    created: "Created",
    used: "Last used",
    empty: "No keys yet",
    emptySentence: "To let another system keep the FAQ up to date, make a key and send it as Authorization: Bearer …",
    shownOnce: "The key is made",
    shownOnceSentence: "Copy it now and keep it safe: once this is closed, nobody can see it again.",
    done: "I have kept it",
    revoke: "Revoke",
    revokeOf: (name) => `Revoke “${name}”?`,
    revokeSentence: "Programs that use it are shut out at once. This cannot be undone.",
    revoked: (name) => `“${name}” was revoked`,
  },
});

/** Show the section. */
export async function render(place) {
  const list = element("div");
  const refresh = () =>
    fill(
      list,
      () => get("/keys"),
      ({ keys }) => (keys.length > 0 ? keyTable(keys, refresh) : emptyState("key", t.empty, t.emptySentence)),
    );
  const add = button(t.add, () => void addKey(refresh), { kind: "primary", icon: "plus" });
  place.append(element("div", { class: "section-head" }, element("p", { class: "quiet" }, t.sentence), add), list);
  await refresh();
}

function keyTable(keys, refresh) {
  return table(
    t.sentence,
    [
      { title: t.name, kind: "main", cell: (key) => key.name },
      { title: t.key, cell: (key) => element("code", {}, `${key.prefix}…`) },
      { title: t.scopes, cell: (key) => scopeBadges(key.scopes) },
      { title: t.by, cell: (key) => key.created_by },
      { title: t.created, cell: (key) => time(key.created_at) },
      { title: t.used, cell: (key) => time(key.last_used_at) },
      { kind: "actions", cell: (key) => revokeButton(key, refresh) },
    ],
    keys,
  );
}

function scopeBadges(scopes) {
  const badges = scopes.map((scope) => badge(t.scope[scope][0], scope === "admin" ? "violet" : ""));
  return element("span", { class: "badges" }, ...badges);
}

function revokeButton(key, refresh) {
  const revoke = async () => {
    const sure = await confirm(t.revokeOf(key.name), t.revokeSentence, t.revoke, () => remove(`/keys/${key.id}`));
    if (!sure) return;
    toast(t.revoked(key.name));
    await refresh();
  };
  return iconButton("trash", `${t.revoke}: ${key.name}`, { click: revoke });
}

async function addKey(refresh) {
  const name = field(t.name, input("name", { maxlength: 100 }), { hint: t.nameHint });
  const made = await openForm(t.add, [name, scopeField()], t.addAction, (values) =>
    post("/keys", { name: values.name.trim(), scopes: values.scopes }),
  );
  if (made === null) return;
  await Promise.all([showOnce(made.key), refresh()]);
}

function scopeField() {
  const boxes = Object.entries(t.scope).map(([scope, [label, hint]]) =>
    checkbox("scopes", label, { value: scope, hint }),
  );
  const problem = element("p", { class: "field-problem", role: "alert" });
  const legend = element("legend", {}, t.scopes, element("span", { class: "quiet" }, ` · ${t.scopesHint}`));
  const node = element("fieldset", { class: "fieldset" }, legend, ...boxes, problem);
  node.control = boxes[0].querySelector("input");
  node.isValid = () => {
    const isChosen = node.querySelector("input:checked") !== null;
    problem.textContent = isChosen ? "" : t.noScopes;
    return isChosen;
  };
  return node;
}

async function showOnce(secret) {
  const note = element("p", { class: "note warn" }, icon("warning"), t.shownOnceSentence);
  const copy = copyButton(secret);
  const shown = element("div", { class: "secret" }, element("code", { "data-testid": "new-key" }, secret), copy);
  const done = button(t.done, () => dialog.close(), { kind: "primary" });
  const buttons = element("div", { class: "form-buttons" }, done);
  const dialog = openDialog(t.shownOnce, element("div", { class: "stack" }, note, shown, buttons));
  copy.focus();
  await dialog.closed;
}
