/** What stays while pages change: navigation, knowledge base, user, and the line that says the network is gone. */

import { element, icon, iconButton } from "/page/dom.js";
import { connection, get } from "./api.js";
import { menu, toasts } from "./layers.js";
import { mayLeave } from "./leaving.js";
import { button } from "./parts.js";
import { go, here, href } from "./router.js";
import { chooseKnowledgeBase, end, session } from "./session.js";
import { watchWaiting } from "./waiting.js";
import { LANGUAGES, chooseLanguage, language, words } from "./words.js";

const t = words({
  zh: {
    skip: "跳到正文",
    navigation: "主导航",
    menu: "打开导航",
    items: {
      faq: "知识库",
      upload: "导入",
      releases: "发布",
      tryit: "试一试",
      review: "待改进",
      inbox: "人工会话",
      dashboard: "数据",
      settings: "设置",
    },
    roles: { owner: "所有者", editor: "编辑", agent: "客服", viewer: "只读" },
    waiting: (count) => `${count} 位客户在等`,
    knowledgeBase: "当前知识库",
    password: "修改密码",
    logout: "退出登录",
    lost: "连接不上服务器，正在重试…",
    retry: "立即重试",
  },
  en: {
    skip: "Skip to content",
    navigation: "Main",
    menu: "Open navigation",
    items: {
      faq: "FAQ",
      upload: "Upload",
      releases: "Releases",
      tryit: "Try it",
      review: "Review",
      inbox: "Inbox",
      dashboard: "Dashboard",
      settings: "Settings",
    },
    roles: { owner: "Owner", editor: "Editor", agent: "Agent", viewer: "Viewer" },
    waiting: (count) => `${count} waiting`,
    knowledgeBase: "Knowledge base",
    password: "Change password",
    logout: "Log out",
    lost: "The server cannot be reached; trying again…",
    retry: "Try now",
  },
});

const RETRY_MS = 5_000;

/** Build the shell for a list of pages; `reload()` shows the present page anew. */
export function buildShell(pages, reload) {
  const main = element("main", { id: "main", class: "stage", tabindex: "-1" });
  const skip = element("a", { class: "skip", href: "#main", click: (event) => skipTo(event, main) }, t.skip);
  const side = element("aside", { class: "side", id: "side" });
  const opener = iconButton("menu", t.menu, { "aria-controls": "side", "aria-expanded": "false" });
  const top = element("header", { class: "top" }, opener, brand());
  const curtain = element("div", { class: "curtain" });
  const drawer = makeDrawer({ side, covered: [top, main], opener, curtain });

  const waiting = element("span", { class: "count" });
  watchWaiting((count) => {
    waiting.textContent = count || "";
    waiting.title = count ? t.waiting(count) : "";
  });

  const show = (place, page) => {
    const bare = page.bare || session.user === null;
    document.body.classList.toggle("bare", bare);
    side.replaceChildren(...(bare ? [] : sideContent(pages, page, reload, waiting)));
    main.replaceChildren(place);
    drawer.close();
  };
  return { nodes: [skip, connectionLine(), top, curtain, side, main, toasts], show };
}

function skipTo(event, main) {
  event.preventDefault(); // the fragment is the page's address
  (main.querySelector("h1") ?? main).focus();
}

function brand() {
  return element("span", { class: "brand" }, element("span", { class: "logo" }, icon("bot")), "FrontDesk");
}

function sideContent(pages, page, reload, waiting) {
  const items = pages.filter((each) => each.icon && (!each.scope || session.can(each.scope)));
  const links = items.map((item) => {
    const name = item.path.split("/")[0];
    const current = page === item || page.under === name;
    const beside = name === "inbox" ? waiting : null;
    return element("a", { href: href(name), "aria-current": current ? "page" : null }, icon(item.icon), t.items[name], beside);
  });
  return [
    brand(),
    knowledgeBaseChooser(page, reload),
    element("nav", { class: "nav", "aria-label": t.navigation }, ...links),
    userMenu(),
  ].filter(Boolean);
}

function knowledgeBaseChooser(page, reload) {
  if (session.knowledgeBase === null) return null;
  const label = element("span", { class: "chooser-name" }, session.knowledgeBase);
  const described = {
    type: "button",
    class: "chooser",
    title: t.knowledgeBase,
    "aria-label": `${t.knowledgeBase}: ${session.knowledgeBase}`,
  };
  const opener = element("button", described, icon("base"), label, icon("sort"));
  const choose = async (name) => {
    if (!(await mayLeave())) return;
    chooseKnowledgeBase(name);
    const address = page.path.includes(":knowledgeBase") ? href(here().path[0]) : location.hash;
    if (location.hash === address) reload();
    else go(address);
  };
  return menu(opener, () =>
    session.knowledgeBases.map(({ name }) => ({
      label: name,
      chosen: name === session.knowledgeBase,
      run: () => choose(name),
    })),
  );
}

function userMenu() {
  const { name, role } = session.user;
  const who = element("span", { class: "who" }, element("b", {}, name), element("small", {}, t.roles[role] ?? role));
  const opener = element(
    "button",
    { type: "button", class: "user" },
    element("span", { class: "initial" }, [...name][0]),
    who,
    icon("sort"),
  );
  return menu(opener, () => [
    ...Object.entries(LANGUAGES).map(([code, label]) => ({
      label,
      chosen: code === language,
      run: () => chooseLanguage(code),
    })),
    null,
    { label: t.password, icon: "lock", address: href("password") },
    { label: t.logout, icon: "logout", run: logOut },
  ]);
}

async function logOut() {
  if (!(await mayLeave())) return;
  await end();
  go(href("login"));
}

/** On phones the navigation slides in over the page, which nobody can reach meanwhile. */
function makeDrawer({ side, covered, opener, curtain }) {
  const set = (open) => {
    document.body.classList.toggle("drawer-open", open);
    opener.setAttribute("aria-expanded", String(open));
    for (const part of covered) part.inert = open;
  };
  const close = () => set(false);
  opener.addEventListener("click", () => {
    set(true);
    side.querySelector("a, button")?.focus();
  });
  curtain.addEventListener("click", close);
  side.addEventListener("click", (event) => event.target.closest("a") && close());
  side.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target.closest(".menu")) return;
    if (!document.body.classList.contains("drawer-open")) return;
    close();
    opener.focus();
  });
  return { close };
}

/** Appears when a request did not get through, and goes when one does. */
function connectionLine() {
  const probe = () => get("/setup").catch(() => {});
  const line = element(
    "div",
    { class: "connection", role: "status", hidden: true },
    icon("offline"),
    t.lost,
    button(t.retry, probe, { kind: "quiet" }),
  );
  let timer = null;
  connection.addEventListener("lost", () => {
    line.hidden = false;
    timer ??= setInterval(probe, RETRY_MS);
  });
  connection.addEventListener("reached", () => {
    line.hidden = true;
    clearInterval(timer);
    timer = null;
  });
  return line;
}
