/** Settings: the platforms that customers come by, and the ways to call people; each can be tested. */

import { element, icon } from "/page/dom.js";
import { post } from "../../api.js";
import { button, card, copyButton, light, time } from "../../parts.js";
import { words } from "../../words.js";
import { wholeNumber } from "../dashboard/words.js";

const t = words({
  zh: {
    platforms: "平台",
    platformsAbout: "企业微信、微信客服、Slack 等平台在 frontdesk.toml 里设置，重启后出现在这里。",
    noPlatforms: "还没有设置任何平台。",
    people: "通知人工的方式",
    test: "测试",
    testing: "正在测试…",
    tested: (message) => `可用：${message}`,
    failed: (reason) => `不能用：${reason}`,
    idle: "还没有消息",
    lacking: "缺少设置",
    trouble: "有问题",
    waiting: (count) => `${count} 条消息等待送达`,
    lastWorked: "最近送达：",
    botName: (name) => `机器人：${name}`,
    testTells: "测试会向对方发一条写明是测试的通知。",
    works: "可用",
  },
  en: {
    platforms: "Platforms",
    platformsAbout: "WeCom, WeChat customer service, Slack and others are set up in frontdesk.toml, and are here after a restart.",
    noPlatforms: "No platform is set up yet.",
    people: "Ways to call people",
    test: "Test",
    testing: "Testing…",
    tested: (message) => `Works: ${message}`,
    failed: (reason) => `Does not work: ${reason}`,
    idle: "No message yet",
    lacking: "Not set up",
    trouble: "Trouble",
    waiting: (count) => `${count} waiting to be delivered`,
    lastWorked: "Last delivered: ",
    botName: (name) => `Bot: ${name}`,
    testTells: "A test sends a notice that says it is one.",
    works: "Works",
  },
});

/** The platforms, each with its light, its addresses and a test. */
export function platformsCard({ channels }) {
  return card(
    t.platforms,
    element("p", { class: "quiet" }, t.platformsAbout),
    channels.length > 0 ? element("ul", { class: "channels" }, ...channels.map(platform)) : element("p", { class: "quiet" }, t.noPlatforms),
  );
}

function platform({ name, kind, bot, problem, worked_at: workedAt, waiting, paths }) {
  const isSetUp = kind !== "";
  const [colour, said] = problem ? ["bad", isSetUp ? t.trouble : t.lacking] : workedAt ? ["good", t.works] : ["off", t.idle];
  const head = element("h3", {}, kind && kind !== name ? `${name} · ${kind}` : name, light(colour, said));
  const facts = [bot && t.botName(bot), waiting > 0 && t.waiting(wholeNumber(waiting))].filter(Boolean);
  if (workedAt) facts.push(element("span", {}, t.lastWorked, time(workedAt)));
  const about = element("div", {}, head, element("p", { class: "quiet" }, ...facts.flatMap((fact, at) => (at ? [" · ", fact] : [fact]))));
  const addresses = paths.map((path) => location.origin + path);
  return element(
    "li",
    {},
    element("div", { class: "section-head" }, about, ...(isSetUp ? [testButton(`/channels/${name}/test`)] : [])),
    problem ? element("p", { class: "note warn" }, icon("warning"), problem) : null,
    ...addresses.map((address) => element("div", { class: "secret" }, element("code", {}, address), copyButton(address))),
  );
}

/** The ways to call people that are not platforms. */
export function peopleCard(names) {
  const row = (name) => element("li", {}, element("div", { class: "section-head" }, element("h3", {}, name), testButton(`/people/${name}/test`)));
  return card(t.people, element("p", { class: "quiet" }, t.testTells), element("ul", { class: "channels" }, ...names.map(row)));
}

/** A button that asks the platform, with what came of it beside it. */
function testButton(path) {
  const tried = element("div", { class: "tried-out", role: "status" });
  const ask = async () => {
    tried.className = "tried-out";
    tried.textContent = t.testing;
    const { works, message } = await post(path);
    tried.className = `tried-out note ${works ? "good" : "bad"}`;
    tried.replaceChildren(icon(works ? "check" : "warning"), works ? t.tested(message) : t.failed(message));
  };
  return element("div", { class: "test" }, button(t.test, ask, { icon: "tryit" }), tried);
}
