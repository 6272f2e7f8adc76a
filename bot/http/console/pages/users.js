/** Settings, users: who may log in, and what they may do. */

import { element, iconButton } from "/page/dom.js";
import { get, patch, post, remove } from "../api.js";
import { field, input, select } from "../forms.js";
import { confirm, menu, openForm, toast } from "../layers.js";
import { badge, button, fill, time } from "../parts.js";
import { table } from "../table.js";
import { words } from "../words.js";
import { newPasswordFields } from "./passwords.js";

const t = words({
  zh: {
    sentence: "同事各用各的账号登录，操作记录里才分得清是谁改的。",
    add: "添加用户",
    addAction: "添加",
    added: (name) => `已添加 ${name}`,
    name: "用户名",
    role: "角色",
    status: "状态",
    created: "创建时间",
    active: "正常",
    inactive: "已停用",
    locked: "暂时锁定",
    you: "您",
    password: "初始密码",
    taken: "这个用户名已有人使用。",
    more: (name) => `${name} 的更多操作`,
    roles: { owner: "所有者", editor: "编辑", agent: "客服", viewer: "只读" },
    rolesExplained: {
      owner: "可以做所有事，包括管理用户和设置",
      editor: "维护知识库、导入、发布，也能接待客户",
      agent: "接待客户、处理待改进的问题，可查看知识库",
      viewer: "只能查看，不能修改",
    },
    changeRole: "修改角色",
    changeRoleOf: (name) => `修改 ${name} 的角色`,
    save: "保存",
    reset: "重置密码",
    resetOf: (name) => `重置 ${name} 的密码`,
    newPassword: "新密码",
    resetDone: "密码已重置，请告诉对方新密码",
    deactivate: "停用账号",
    deactivateOf: (name) => `停用 ${name}？`,
    deactivateSentence: "对方会立刻退出登录，之后无法再登录。随时可以重新启用。",
    activate: "重新启用",
    changed: (name) => `已更新 ${name}`,
    delete: "删除用户",
    deleteOf: (name) => `删除 ${name}？`,
    deleteSentence: "账号会被永久删除，但操作记录会保留。如果只是暂时不用，建议停用。",
    deleted: (name) => `已删除 ${name}`,
  },
  en: {
    sentence: "With an account each, the audit log can tell who changed what.",
    add: "Add a user",
    addAction: "Add",
    added: (name) => `${name} was added`,
    name: "User name",
    role: "Role",
    status: "Status",
    created: "Created",
    active: "Active",
    inactive: "Deactivated",
    locked: "Locked for now",
    you: "You",
    password: "First password",
    taken: "Somebody has this user name already.",
    more: (name) => `More for ${name}`,
    roles: { owner: "Owner", editor: "Editor", agent: "Agent", viewer: "Viewer" },
    rolesExplained: {
      owner: "May do everything, users and settings included",
      editor: "Keeps the FAQ, uploads and publishes; may also talk to customers",
      agent: "Talks to customers and works through the review; reads the FAQ",
      viewer: "Sees everything but the settings, changes nothing",
    },
    changeRole: "Change role",
    changeRoleOf: (name) => `The role of ${name}`,
    save: "Save",
    reset: "Reset password",
    resetOf: (name) => `A new password for ${name}`,
    newPassword: "New password",
    resetDone: "The password is reset; tell them the new one",
    deactivate: "Deactivate",
    deactivateOf: (name) => `Deactivate ${name}?`,
    deactivateSentence:
      "They are logged out at once and cannot log in. You can activate the account again at any time.",
    activate: "Activate again",
    changed: (name) => `${name} was changed`,
    delete: "Delete",
    deleteOf: (name) => `Delete ${name}?`,
    deleteSentence: "The account is gone for good; the audit log stays. To pause it, deactivate it instead.",
    deleted: (name) => `${name} was deleted`,
  },
});

const ROLE_COLOURS = { owner: "violet", editor: "accent", agent: "info", viewer: "" };

/** Show the section. */
export async function render(place, { session }) {
  const list = element("div");
  const refresh = () =>
    fill(
      list,
      () => get("/users"),
      ({ users }) => userTable(users, session, refresh),
    );
  const add = button(t.add, () => void addUser(refresh), { kind: "primary", icon: "plus" });
  place.append(element("div", { class: "section-head" }, element("p", { class: "quiet" }, t.sentence), add), list);
  await refresh();
}

function userTable(users, session, refresh) {
  const isMe = (user) => user.name === session.user.name;
  return table(
    t.sentence,
    [
      { title: t.name, kind: "main", cell: (user) => (isMe(user) ? [user.name, " ", badge(t.you)] : user.name) },
      { title: t.role, cell: (user) => badge(t.roles[user.role], ROLE_COLOURS[user.role]) },
      { title: t.status, cell: (user) => statusOf(user) },
      { title: t.created, cell: (user) => time(user.created_at) },
      { kind: "actions", cell: (user) => (isMe(user) ? "" : userMenu(user, refresh)) },
    ],
    users,
  );
}

function statusOf(user) {
  if (!user.active) return badge(t.inactive);
  return user.locked ? badge(t.locked, "warn") : t.active;
}

function userMenu(user, refresh) {
  const change = async (fields) => {
    await patch(`/users/${user.id}`, fields);
    await refresh();
  };
  const access = user.active
    ? { label: t.deactivate, icon: "pause", run: () => deactivate(user, change) }
    : { label: t.activate, icon: "undo", run: () => change({ active: true }).then(() => toast(t.changed(user.name))) };
  return menu(iconButton("more", t.more(user.name)), () => [
    { label: t.changeRole, icon: "user", run: () => changeRole(user, change) },
    { label: t.reset, icon: "lock", run: () => resetPassword(user, change) },
    null,
    access,
    { label: t.delete, icon: "trash", danger: true, run: () => deleteUser(user, refresh) },
  ]);
}

async function addUser(refresh) {
  const name = field(t.name, input("name", { maxlength: 100 }));
  const [password] = newPasswordFields(t.password);
  const user = await openForm(
    t.add,
    [name, roleField("agent"), password],
    t.addAction,
    (values) => post("/users", { ...values, name: values.name.trim() }),
    { problems: { name_taken: t.taken } },
  );
  if (user === null) return;
  toast(t.added(user.name));
  await refresh();
}

function roleField(chosen) {
  const control = select("role", Object.entries(t.roles), chosen);
  const node = field(t.role, control, { hint: t.rolesExplained[chosen] });
  control.addEventListener("change", () => (node.querySelector(".hint").textContent = t.rolesExplained[control.value]));
  return node;
}

async function changeRole(user, change) {
  const saved = await openForm(t.changeRoleOf(user.name), [roleField(user.role)], t.save, ({ role }) =>
    change({ role }),
  );
  if (saved) toast(t.changed(user.name));
}

async function resetPassword(user, change) {
  const [password] = newPasswordFields(t.newPassword);
  const saved = await openForm(t.resetOf(user.name), [password], t.save, (values) =>
    change({ password: values.password }),
  );
  if (saved) toast(t.resetDone);
}

async function deactivate(user, change) {
  const sure = await confirm(t.deactivateOf(user.name), t.deactivateSentence, t.deactivate, () =>
    change({ active: false }),
  );
  if (sure) toast(t.changed(user.name));
}

async function deleteUser(user, refresh) {
  const sure = await confirm(t.deleteOf(user.name), t.deleteSentence, t.delete, () => remove(`/users/${user.id}`));
  if (!sure) return;
  toast(t.deleted(user.name));
  await refresh();
}
