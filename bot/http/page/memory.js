/** What outlives a reload, in this browser only. Storage may be full or forbidden: then nothing outlives it. */

import { botName } from "./api.js";

const LANGUAGE = "frontdesk.language";
const VERSION = 1;
const MAX_ENTRIES = 100;

/** Return the key of the conversation with this bot, for those who watch it change in another tab. */
export function conversationKey() {
  return ["frontdesk.conversation", botName()].filter(Boolean).join(".");
}

/** Return a conversation nobody has spoken in. */
export function emptyConversation() {
  return { version: VERSION, id: null, handoff: "bot", entries: [] };
}

/** Return the conversation of before the reload, else an empty one. */
export function loadConversation() {
  try {
    const stored = JSON.parse(localStorage.getItem(conversationKey()));
    return isConversation(stored) ? stored : emptyConversation();
  } catch {
    return emptyConversation();
  }
}

function isConversation(stored) {
  return stored !== null && stored.version === VERSION && Array.isArray(stored.entries);
}

/** Keep a conversation; of a very long one only its end. */
export function saveConversation(conversation) {
  write(conversationKey(), JSON.stringify({ ...conversation, entries: conversation.entries.slice(-MAX_ENTRIES) }));
}

/** Say whether a person has a conversation, or is waited for. */
export function isOfPeople({ handoff }) {
  return handoff === "waiting" || handoff === "human";
}

/** Return the turn whose answer was cut off by leaving the page, if there is one. */
export function interruptedTurn({ entries }) {
  return entries.find((entry) => entry.state === "streaming");
}

/** Return the language chosen here before, or null. */
export function loadLanguage() {
  try {
    return localStorage.getItem(LANGUAGE);
  } catch {
    return null;
  }
}

/** Keep the chosen language. */
export function saveLanguage(language) {
  write(LANGUAGE, language);
}

function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The page works without.
  }
}
