/** Settings: a page with a section for each subject. */

import { element } from "/page/dom.js";
import { pageHead, tabs } from "../parts.js";
import { href } from "../router.js";
import { words } from "../words.js";

const option = (name) => ({
  name,
  load: async () => {
    const { renderSection } = await import("./options.js");
    return { render: (place) => renderSection(place, name) };
  },
});

const SECTIONS = [
  ...["bot", "widget", "thresholds", "people", "model"].map(option),
  { name: "users", load: () => import("./users.js") },
  { name: "keys", load: () => import("./keys.js") },
  { name: "audit", load: () => import("./audit.js") },
];

const t = words({
  zh: { title: "设置", sections: { bot: "机器人", widget: "网站窗口", thresholds: "把握", people: "人工服务", model: "大模型", users: "用户", keys: "API 密钥", audit: "操作记录" } },
  en: { title: "Settings", sections: { bot: "Bot", widget: "Website", thresholds: "Confidence", people: "People", model: "Larger model", users: "Users", keys: "API keys", audit: "Audit log" } },
});

/** Show the section that the address names. */
export async function render(place, context) {
  const section = SECTIONS.find(({ name }) => name === context.parameters.section) ?? SECTIONS[0];
  const items = SECTIONS.map((each) => ({
    label: t.sections[each.name],
    address: href("settings", each.name),
    current: each === section,
  }));
  const area = element("div");
  place.append(pageHead(t.title, null), tabs(t.title, items), area);
  const { render: renderSection } = await section.load();
  return renderSection(area, context);
}
