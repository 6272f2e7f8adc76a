/** Settings: how the widget looks on a site, and the line that puts it there. */

import { element, icon } from "/page/dom.js";
import { input } from "../../forms.js";
import { card, copyButton } from "../../parts.js";
import { href } from "../../router.js";
import { words } from "../../words.js";
import { contrast, isColour, readableOn } from "./contrast.js";
import { choice, text } from "./controls.js";
import { option } from "./option.js";
import { optionsCard, showSection } from "./settings.js";

const OURS = "#0f766e";
const [NEEDED_FOR_TEXT, NEEDED_FOR_SHAPES] = [4.5, 3];

const t = words({
  zh: {
    title: "外观",
    sentence: "聊天窗口在网站上的样子。某个页面的脚本里写了 data-color 等，就以那里为准。",
    color: "颜色",
    colorHint: "按钮和标志的底色；留空用默认的青绿色。",
    pick: "选取颜色",
    noColour: "请写成 #0f766e 这样的颜色",
    text: (ratio, isEnough) => `上面的图案 ${ratio}∶1，${isEnough ? "看得清" : "偏淡，建议换深一些或浅一些的颜色"}`,
    shape: (ratio, isEnough) => `在白色网页上 ${ratio}∶1，${isEnough ? "够显眼" : "不够显眼，建议换深一些的颜色"}`,
    position: "位置",
    positionHint: "屏幕下方的哪个角。",
    positions: { "": "自动（文字结束的一侧）", left: "左下角", right: "右下角" },
    avatar: "头像",
    avatarHint: "一个表情符号或一个字；留空用默认图案。",
    preview: "预览",
    online: "在线",
    tag: "放到网站上",
    tagSentence: "把这一行粘贴到网页的 </body> 之前，然后到",
    sites: "允许的网站",
    tagAfter: "里加上网站的地址。",
  },
  en: {
    title: "Appearance",
    sentence: "How the widget looks on a site. Where a page's script tag says otherwise (data-color …), that holds.",
    color: "Colour",
    colorHint: "Of the button and the logo; empty: our green.",
    pick: "Pick a colour",
    noColour: "Please write a colour such as #0f766e",
    text: (ratio, isEnough) => `The drawing on it ${ratio}:1, ${isEnough ? "easy to see" : "too faint; take a darker or lighter one"}`,
    shape: (ratio, isEnough) => `On a white page ${ratio}:1, ${isEnough ? "stands out" : "does not stand out; take a darker one"}`,
    position: "Position",
    positionHint: "The corner at the bottom of the screen.",
    positions: { "": "Automatic (where lines of text end)", left: "Bottom left", right: "Bottom right" },
    avatar: "Avatar",
    avatarHint: "An emoji or a letter; empty: our drawing.",
    preview: "Preview",
    online: "Online",
    tag: "Put it on a site",
    tagSentence: "Paste this line before </body> of a page, then add the site's address to the",
    sites: "allowed sites",
    tagAfter: ".",
  },
});

/** Show the section. */
export async function render(place) {
  await showSection(place, (settings, show) => {
    const value = (name) => settings[`widget.${name}`].value;
    const color = colour(value("color"));
    const position = choice(value("position"), Object.entries(t.positions));
    const avatar = text(value("avatar"), { maxlength: 8 });
    const preview = buildPreview(settings["bot.name"].value);
    const options = [
      option(settings["widget.color"], t.color, color, {
        hint: t.colorHint,
        check: (given) => (given === null || isColour(given) ? null : t.noColour),
      }),
      option(settings["widget.position"], t.position, position, { hint: t.positionHint }),
      option(settings["widget.avatar"], t.avatar, avatar, { hint: t.avatarHint }),
    ];
    const made = optionsCard(t.title, t.sentence, options, show);
    const look = () => preview.show(color.read(), position.read(), avatar.read());
    made.addEventListener("input", look);
    look();
    return [made, card(t.preview, preview.node), scriptCard()];
  });
}

/** A colour to write or to pick, with whether it can be seen. */
function colour(value) {
  const picker = element("input", { type: "color", class: "swatch", "aria-label": t.pick, title: t.pick });
  const box = input(null, { maxlength: 7, placeholder: OURS, spellcheck: "false", class: "input mono" });
  const said = element("ul", { class: "contrasts" });
  box.removeAttribute("name");
  const control = {
    node: element("div", { class: "colour" }, picker, box, said),
    focus: box,
    read: () => box.value.trim().toLowerCase() || null,
    write: (given) => {
      box.value = given ?? "";
      look();
    },
  };
  picker.addEventListener("input", () => {
    box.value = picker.value;
    look();
  });
  box.addEventListener("input", look);
  control.write(value);
  return control;

  function look() {
    const shown = control.read() ?? OURS;
    if (!isColour(shown)) return said.replaceChildren();
    picker.value = shown;
    said.replaceChildren(
      verdict(t.text, contrast(shown, readableOn(shown)), NEEDED_FOR_TEXT),
      verdict(t.shape, contrast(shown, "#ffffff"), NEEDED_FOR_SHAPES),
    );
  }
}

function verdict(sentence, ratio, needed) {
  const isEnough = ratio >= needed;
  const said = sentence((Math.floor(ratio * 10) / 10).toFixed(1), isEnough);
  return element("li", { class: isEnough ? "good" : "warn" }, icon(isEnough ? "check" : "warning"), said);
}

/** The widget's button and the top of its panel, on a page of somebody's. */
function buildPreview(name) {
  const logo = element("span", { class: "sample-logo" });
  const launcher = element("span", { class: "sample-launcher" }, icon("bot"));
  const identity = element("span", {}, element("strong", {}, name), element("small", {}, t.online));
  const panel = element("div", { class: "sample-panel" }, element("div", { class: "sample-head" }, logo, identity));
  panel.append(element("i"), element("i"), element("i"));
  const node = element("div", { class: "sample", "aria-hidden": "true" }, panel, launcher);
  return { node, show };

  function show(given, position, avatar) {
    const shown = isColour(given ?? "") ? given : OURS;
    for (const each of [logo, launcher]) {
      each.style.background = shown;
      each.style.color = readableOn(shown);
      each.style.setProperty("--hole", shown);
    }
    logo.replaceChildren(avatar ?? icon("bot"));
    node.classList.toggle("left", position === "left");
  }
}

function scriptCard() {
  const line = `<script src="${location.origin}/widget.js" defer></script>`;
  const link = element("a", { href: href("settings", "sites") }, t.sites);
  return card(
    t.tag,
    element("p", { class: "quiet" }, t.tagSentence, " ", link, t.tagAfter),
    element("div", { class: "secret" }, element("code", {}, line), copyButton(line)),
  );
}
