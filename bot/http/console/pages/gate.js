/** The frame of the pages before anybody is logged in. */

import { element, icon } from "/page/dom.js";
import { button } from "../parts.js";
import { LANGUAGES, chooseLanguage, language, words } from "../words.js";

const t = words({ zh: { title: "FrontDesk 管理后台" }, en: { title: "FrontDesk Console" } });

/** Fill a page with one card, whose title and sentence come first. */
export function openGate(place, title, sentence, ...content) {
  const brand = element("p", { class: "brand" }, element("span", { class: "logo" }, icon("bot")), t.title);
  const card = element(
    "section",
    { class: "card" },
    element("h1", { tabindex: "-1" }, title),
    element("p", {}, sentence),
    ...content,
  );
  const others = Object.entries(LANGUAGES).filter(([code]) => code !== language);
  const choices = others.map(([code, name]) =>
    button(name, () => chooseLanguage(code), { kind: "quiet", icon: "language", lang: code }),
  );
  place.replaceChildren(
    element("div", { class: "gate" }, brand, card, element("div", { class: "gate-languages" }, ...choices)),
  );
}
