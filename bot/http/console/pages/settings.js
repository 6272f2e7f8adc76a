/** Settings: a page with a section for each subject. */

import { element } from "/page/dom.js";
import { pageHead, tabs } from "../parts.js";
import { href } from "../router.js";
import { words } from "../words.js";

const SECTIONS = [
  { name: "bot", load: () => import("./options/bot.js") },
  { name: "widget", load: () => import("./options/appearance.js") },
  { name: "thresholds", load: () => import("./options/thresholds.js") },
  { name: "people", load: () => import("./options/people.js") },
  { name: "model", load: () => import("./options/model.js") },
  { name: "sites", load: () => import("./options/sites.js") },
  { name: "channels", load: () => import("./options/channels.js") },
  { name: "customers", load: () => import("./customers.js") },
  { name: "users", load: () => import("./users.js") },
  { name: "keys", load: () => import("./keys.js") },
  { name: "audit", load: () => import("./audit.js") },
];

const t = words({
  zh: {
    title: "设置",
    sections: {
      bot: "机器人",
      widget: "外观",
      thresholds: "把握",
      people: "人工服务",
      model: "大模型",
      sites: "网站",
      channels: "渠道",
      customers: "客户数据",
      users: "用户",
      keys: "API 密钥",
      audit: "操作记录",
    },
  },
  en: {
    title: "Settings",
    sections: {
      bot: "Bot",
      widget: "Appearance",
      thresholds: "Confidence",
      people: "People",
      model: "Larger model",
      sites: "Sites",
      channels: "Channels",
      customers: "Customers' data",
      users: "Users",
      keys: "API keys",
      audit: "Audit log",
    },
  },
});

/** Show the section that the address names. */
export async function render(place, context) {
  const section = SECTIONS.find(({ name }) => name === context.parameters.section) ?? SECTIONS[0];
  const items = SECTIONS.map((each) => ({
    label: t.sections[each.name],
    address: href("settings", each.name),
    current: each === section,
  }));
  const area = element("div", { "aria-busy": "true" });
  const links = tabs(t.title, items);
  place.append(pageHead(t.title, null), links, area);
  links.querySelector("[aria-current=page]").scrollIntoView({ block: "nearest", inline: "center" });
  try {
    const { render: renderSection } = await section.load();
    return await renderSection(area, context);
  } finally {
    area.removeAttribute("aria-busy");
  }
}
