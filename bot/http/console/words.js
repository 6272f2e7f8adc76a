/** The console's two languages. Which one is decided when the page loads; choosing the other loads it again. */

import { loadLanguage, saveLanguage } from "/page/memory.js";
import { browserLanguage } from "/page/texts.js";

export const LANGUAGES = { zh: "中文", en: "English" };
const LOCALES = { zh: "zh-CN", en: "en" };

/** The language of everything shown. */
export const language = loadLanguage() in LANGUAGES ? loadLanguage() : browserLanguage();

/** The same for `Intl` and for `<html lang>`. */
export const locale = LOCALES[language];

/** Choose a sentence book: `const t = words({ zh: {…}, en: {…} })`. */
export function words(books) {
  return books[language];
}

/** Show everything in another language from now on, in this browser. */
export function chooseLanguage(chosen) {
  saveLanguage(chosen);
  location.reload();
}
