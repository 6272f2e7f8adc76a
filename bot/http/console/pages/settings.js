/** Settings: a page with a section for each subject. */

import { element } from "/page/dom.js";
import { pageHead, tabs } from "../parts.js";
import { href } from "../router.js";
import { words } from "../words.js";

const SECTIONS = [
  { name: "users", load: () => import("./users.js") },
  { name: "keys", load: () => import("./keys.js") },
  { name: "audit", load: () => import("./audit.js") },
];

const t = words({
  zh: { title: "设置", sections: { users: "用户", keys: "API 密钥", audit: "操作记录" } },
  en: { title: "Settings", sections: { users: "Users", keys: "API keys", audit: "Audit log" } },
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
