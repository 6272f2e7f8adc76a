/** Settings: the ways to the bot, and whether they work right now. */

import { element, icon } from "/page/dom.js";
import { IS_LOCAL } from "/page/here.js";
import { get } from "../../api.js";
import { button, card, copyButton, fill, light, linkButton } from "../../parts.js";
import { href } from "../../router.js";
import { words } from "../../words.js";
import { wholeNumber } from "../dashboard/words.js";
import { peopleCard, platformsCard } from "./platforms.js";

const t = words({
  zh: {
    health: "运行状况",
    again: "再查一次",
    ready: "一切正常，可以回答问题",
    limited: "可以回答问题，但有地方要注意",
    down: "现在不能回答问题",
    parts: { database: "数据库", embedding: "检索模型", chat: "本地对话模型", remote: "远程大模型", entries: "已发布的条目" },
    ok: "正常",
    unreachable: "连接不上",
    noChat: "没有：只给条目原文和反问",
    noRemote: "没有设置",
    noEntries: "还没有：请先导入并发布",
    count: (count) => `${count} 条`,
    channels: "渠道",
    names: { page: "聊天网页", widget: "网站聊天窗口", api: "接口（兼容 OpenAI）" },
    about: {
      page: "把这个地址发给客户，打开就能问。",
      widget: "一行脚本，放到您的网站上。",
      api: "用 API 密钥接入您自己的程序。",
    },
    onlyHere: "这个地址只有这台机器能打开：先把服务放到公司的域名下，再用那个域名打开后台，这里就是能发给客户的地址。",
    works: "可用",
    fails: "打不开",
    noSite: "还没有网站可以用",
    nameSite: "还没有允许任何网站：请先写上您的网站，聊天窗口才会在那里打开。",
    toSites: "去添加网站",
    open: "打开",
    tag: "取脚本",
    documentation: "接口文档",
  },
  en: {
    health: "Health",
    again: "Check again",
    ready: "All is well, questions are answered",
    limited: "Questions are answered, but something needs attention",
    down: "Questions cannot be answered now",
    parts: { database: "Database", embedding: "Search model", chat: "Local chat model", remote: "Larger model", entries: "Published entries" },
    ok: "Works",
    unreachable: "Cannot be reached",
    noChat: "None: only entries' own words and asking back",
    noRemote: "Not set",
    noEntries: "None yet: upload and publish some",
    count: (count) => count,
    channels: "Channels",
    names: { page: "Chat page", widget: "Website widget", api: "API (as OpenAI's)" },
    about: {
      page: "Send this address to customers; they can ask at once.",
      widget: "One line of script on your site.",
      api: "For your own programs, with an API key.",
    },
    onlyHere:
      "Only this machine can open this address: put the server under a domain of yours and open the console there; then this is what customers can use.",
    works: "Works",
    fails: "Does not open",
    noSite: "No site may use it yet",
    nameSite: "No site is allowed yet: name yours first, and the widget opens there.",
    toSites: "Add a site",
    open: "Open",
    tag: "Get the script",
    documentation: "API reference",
  },
});

const CHANNELS = [
  { name: "page", path: "/", more: () => linkButton(t.open, "/", { icon: "external" }) },
  { name: "widget", path: "/widget.js", more: () => linkButton(t.tag, href("settings", "widget")) },
  { name: "api", path: "/v1", probe: "/openapi.json", more: () => linkButton(t.documentation, "/docs", { icon: "external" }) },
];

/** Show the section. */
export async function render(place) {
  const area = element("div", { class: "stack" });
  place.append(area);
  const check = () => fill(area, look, (found) => [
    healthCard(found.health, check),
    channelsCard(found.works, found.platforms.sites),
    platformsCard(found.platforms),
    ...(found.platforms.people.length > 0 ? [peopleCard(found.platforms.people)] : []),
  ]);
  await check();
}

async function look() {
  const [platforms, health, ...works] = await Promise.all([
    get("/channels"),
    fetch("/readyz", { cache: "no-store" }).then((response) => response.json()).catch(() => null),
    ...CHANNELS.map(({ path, probe = path }) => fetch(probe, { cache: "no-store" }).then(({ ok }) => ok, () => false)),
  ]);
  return { platforms, health, works };
}

function healthCard(health, check) {
  const isReady = health?.ready ?? false;
  const problems = health?.problems ?? [];
  const [colour, sentence] = !isReady ? ["bad", t.down] : problems.length > 0 ? ["warn", t.limited] : ["good", t.ready];
  return card(
    t.health,
    element("div", { class: "section-head" }, light(colour, sentence), button(t.again, check, { icon: "retry" })),
    ...problems.map((problem) => element("p", { class: "note warn" }, icon("warning"), problem)),
    health ? element("dl", { class: "facts-list" }, ...partsOf(health).flatMap(([name, colour_, said]) => fact(name, colour_, said))) : null,
  );
}

function partsOf({ database, embedding_model: embedding, chat_model: chat, remote_model: remote, entries }) {
  return [
    ["database", database === "ok" ? "good" : "bad", database === "ok" ? t.ok : t.unreachable],
    ["embedding", "good", embedding],
    ["chat", chat ? "good" : "off", chat ?? t.noChat],
    ["remote", remote ? "good" : "off", remote ?? t.noRemote],
    ["entries", entries > 0 ? "good" : "warn", entries > 0 ? t.count(wholeNumber(entries)) : t.noEntries],
  ];
}

function fact(name, colour, said) {
  return [element("dt", {}, t.parts[name]), element("dd", {}, light(colour, said))];
}

function channelsCard(works, sites) {
  const rows = CHANNELS.map(({ name, path, more }, at) => {
    const address = location.origin + path;
    const line = element("div", { class: "secret" }, element("code", {}, address), copyButton(address));
    const lacksSite = name === "widget" && works[at] && sites.length === 0;
    const [colour, said] = !works[at] ? ["bad", t.fails] : lacksSite ? ["warn", t.noSite] : ["good", t.works];
    const head = element("h3", {}, t.names[name], light(colour, said));
    const about = element("div", {}, head, element("p", { class: "quiet" }, t.about[name]));
    const onlyHere = name === "page" && IS_LOCAL ? element("p", { class: "note warn" }, icon("warning"), t.onlyHere) : null;
    return element("li", {}, element("div", { class: "section-head" }, about, more()), lacksSite ? siteNote() : onlyHere, line);
  });
  return card(t.channels, element("ul", { class: "channels" }, ...rows));
}

function siteNote() {
  return element("p", { class: "note warn" }, icon("warning"), element("span", {}, t.nameSite, " ", element("a", { href: href("settings", "sites") }, t.toSites)));
}
