/**
 * The chat page: one chat that fills the window. On the server's own machine, and with ?inspect, it shows how answers came
 * about; customers are spared that.
 */

import { setBot } from "./api.js";
import { mountChat } from "./chat.js";
import { element } from "./dom.js";
import { IS_LOCAL } from "./here.js";
import * as inspector from "./inspector.js";
import { loadLanguage, saveLanguage } from "./memory.js";
import { fitToVisibleScreen } from "./screen.js";

const OTHER = { zh: ["en", "EN", "EN · Switch to English"], en: ["zh", "中", "中 · 切换到中文"] };

const asked = new URLSearchParams(location.search);
const isTriedOut = IS_LOCAL || asked.has("inspect");
setBot(asked.get("bot"));
const switchLanguage = element("button", { type: "button", class: "header-button language", id: "language" });
const chat = mountChat(document.body, {
  onName: (name) => (document.title = name),
  onLanguage: showLanguage,
  locale: loadLanguage(),
  inspector: isTriedOut ? inspector : undefined,
});
chat.page.actions.append(switchLanguage);
fitToVisibleScreen(chat.page.app);
chat.focus();

function showLanguage(language, htmlLanguage) {
  const [other, label, title] = OTHER[language];
  document.documentElement.lang = htmlLanguage;
  switchLanguage.textContent = label;
  switchLanguage.title = title;
  switchLanguage.setAttribute("aria-label", title);
  switchLanguage.onclick = () => {
    chat.setLanguage(other);
    saveLanguage(other);
  };
}
