/** The chat page: one chat that fills the window. */

import { setBot } from "./api.js";
import { mountChat } from "./chat.js";
import { fitToVisibleScreen } from "./screen.js";

setBot(new URLSearchParams(location.search).get("bot"));
const chat = mountChat(document.body, {
  onName: (name) => (document.title = name),
  onLanguage: (language) => (document.documentElement.lang = language),
});
fitToVisibleScreen(chat.page.app);
chat.focus();
