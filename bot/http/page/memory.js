/** What outlives a reload, in this browser only. Storage may be full or forbidden: then nothing outlives it. */

import { botName } from "./api.js";

const LANGUAGE = "frontdesk.language";
const VERSION = 1;
const MAX_ENTRIES = 100;

/** Return the key of the conversation with this bot, for those who watch it change in another tab. */
export function conversationKey() {
  return ["frontdesk.conversation", botName()].filter(Boolean).join(".");
}

/** Return a conversation nobody has spoken in. Tabs that have begun none share the first. */
export function emptyConversation(startedAt = 0) {
  return { version: VERSION, startedAt, id: null, handoff: "bot", lastMessage: 0, entries: [] };
}

/** Return the conversation of before the reload, else an empty one. */
export function loadConversation() {
  try {
    const stored = JSON.parse(localStorage.getItem(conversationKey()));
    return isConversation(stored) ? { ...emptyConversation(), ...stored } : emptyConversation();
  } catch {
    return emptyConversation();
  }
}

function isConversation(stored) {
  return stored !== null && stored.version === VERSION && Array.isArray(stored.entries);
}

/** Keep a conversation beside what other tabs have added to it, unless one of them has begun a newer one. */
export function saveConversation(conversation, changed = null) {
  const stored = loadConversation();
  if (stored.startedAt > conversation.startedAt) return;
  if (stored.startedAt < conversation.startedAt) keep(conversation);
  else keep({ ...merge(conversation, stored), entries: mergeEntries(conversation, stored, changed) });
}

function keep(conversation) {
  write(conversationKey(), JSON.stringify({ ...conversation, entries: conversation.entries.slice(-MAX_ENTRIES) }));
}

/** Return a conversation as other tabs have made it, but `changed` as it is here. */
export function heardConversation(conversation, changed) {
  const stored = loadConversation();
  return { ...merge(stored, conversation), entries: mergeEntries(conversation, stored, changed) };
}

/** Return what `leading` says of a conversation, and what only the other knows. */
function merge(leading, other) {
  return {
    ...leading,
    id: leading.id ?? other.id,
    lastMessage: Math.max(leading.lastMessage, other.lastMessage),
  };
}

/** Of an entry that both have, the stored one is right: whoever is at work on it has written it. */
function mergeEntries(ours, stored, changed) {
  const entries = new Map([...ours.entries, ...stored.entries].map((entry) => [keyOf(entry), entry]));
  if (changed !== null) entries.set(keyOf(changed), changed);
  return [...entries.values()].sort((one, other) => (one.addedAt ?? 0) - (other.addedAt ?? 0));
}

function keyOf({ messageId, id, text }) {
  return messageId ?? id ?? text;
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
