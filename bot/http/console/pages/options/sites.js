/** Settings: the web sites that may use the bot. */

import { element, iconButton } from "/page/dom.js";
import { input } from "../../forms.js";
import { button } from "../../parts.js";
import { words } from "../../words.js";
import { siteOf } from "./addresses.js";
import { option } from "./option.js";
import { optionsCard, showSection } from "./settings.js";

const t = words({
  zh: {
    title: "允许的网站",
    sentence: "只有写在这里的网站能使用聊天窗口和接口。FrontDesk 自己的网页不用写。",
    sites: "网站",
    sitesHint: "只写协议和域名，例如 https://www.example.com；带不带 www 要分别写。",
    site: (place) => `第 ${place} 个网站`,
    add: "添加网站",
    remove: (site) => `去掉 ${site}`,
    none: "还没有允许任何网站。",
    wrong: (text) => `“${text}”不是网站的地址，请写成 https://www.example.com 这样`,
    twice: (text) => `“${text}”写了两次`,
  },
  en: {
    title: "Sites",
    sentence: "Only these sites may use the widget and the API. FrontDesk's own pages need not be named.",
    sites: "Sites",
    sitesHint: "Scheme and host only, such as https://www.example.com; with and without www are two sites.",
    site: (place) => `Site ${place}`,
    add: "Add a site",
    remove: (site) => `Remove ${site}`,
    none: "No site is allowed yet.",
    wrong: (text) => `“${text}” is no site; write it like https://www.example.com`,
    twice: (text) => `“${text}” is there twice`,
  },
});

/** Show the section. */
export async function render(place) {
  await showSection(place, (settings, show) => {
    const setting = settings["server.allowed_origins"];
    const list = sites(setting.value);
    return optionsCard(t.title, t.sentence, [option(setting, t.sites, list, { hint: t.sitesHint, check })], show);
  });
}

function check(list) {
  const wrong = list.find((text) => siteOf(text) === null);
  if (wrong !== undefined) return t.wrong(wrong);
  const twice = list.find((text, at) => list.indexOf(text) !== at);
  return twice === undefined ? null : t.twice(twice);
}

/** A list of sites, each in a line of its own. */
function sites(value) {
  const list = element("div", { class: "sites" });
  const add = button(t.add, () => focusLast(write([...read(), ""])), { icon: "plus" });
  const node = element("div", { class: "stack small" }, list, add);
  const control = { node, focus: add, isGroup: true, read: () => read().filter(Boolean), write };
  write(value);
  return control;

  function read() {
    return [...list.querySelectorAll("input")].map((box) => box.value.trim());
  }

  function write(texts) {
    list.replaceChildren(...(texts.length > 0 ? texts.map(row) : [element("p", { class: "quiet" }, t.none)]));
  }

  function row(text, at) {
    const box = input(null, { type: "url", value: text, inputmode: "url", placeholder: "https://", "aria-label": t.site(at + 1) });
    box.removeAttribute("name");
    box.addEventListener("change", () => {
      box.value = siteOf(box.value.trim()) ?? box.value; // what follows the host is not part of it
      tell();
    });
    const drop = iconButton("trash", t.remove(text || t.site(at + 1)), {
      click: () => {
        write(read().filter((_, place) => place !== at));
        add.focus();
        tell();
      },
    });
    return element("div", { class: "site" }, box, drop);
  }

  function focusLast() {
    [...list.querySelectorAll("input")].at(-1).focus();
  }

  function tell() {
    node.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
