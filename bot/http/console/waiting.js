/** How many customers wait for a person: beside the inbox's name, in the page's title, and told on the desktop if wanted. */

import { get } from "./api.js";
import { href } from "./router.js";
import { session } from "./session.js";
import { words } from "./words.js";

const EVERY_MS = 15_000;
const IDLE_MS = 3_600_000;
const WANTED = "frontdesk.console.notify";

const t = words({
  zh: { calls: "有客户在等人工" },
  en: { calls: "A customer is waiting" },
});

let title = "FrontDesk";
let ids = null;
let show = () => {};
let watched = null;
let usedAt = Date.now();

/** Keep asking, and call `onCount(count)`; `undefined` is for those who may not know. */
export function watchWaiting(onCount) {
  show = onCount;
  for (const sign of ["pointerdown", "keydown"]) window.addEventListener(sign, () => (usedAt = Date.now()), { passive: true });
  document.addEventListener("visibilitychange", () => document.hidden || void ask());
  setInterval(ask, EVERY_MS);
}

/** Take note of who waits now, of those that GET /inbox lists. */
export function noteWaiting(conversations) {
  const waiting = conversations.filter(({ handoff }) => handoff === "waiting");
  if (ids !== null) waiting.filter(({ id }) => !ids.has(id)).forEach(notify);
  ids = new Set(waiting.map(({ id }) => id));
  showCount();
}

/** Begin anew for a user who has just come, or for nobody. */
export function watchFor(user) {
  if (user === watched) return;
  watched = user;
  ids = null;
  showCount();
  void ask();
}

/** Name the page; who waits stands before its name. */
export function setTitle(name) {
  title = name;
  showCount();
}

/** Say whether this browser can tell, and was asked to. */
export const notifications = {
  possible: "Notification" in window && window.isSecureContext,
  get wanted() {
    return this.possible && Notification.permission === "granted" && isWantedHere();
  },
  /** Ask for them, or do without; returns whether they will come. */
  async want(isWanted) {
    remember(isWanted);
    if (isWanted && Notification.permission === "default") await Notification.requestPermission();
    return this.wanted;
  },
};

function isWantedHere() {
  try {
    return localStorage.getItem(WANTED) === "yes";
  } catch {
    return false;
  }
}

function remember(isWanted) {
  try {
    localStorage.setItem(WANTED, isWanted ? "yes" : "no");
  } catch {
    // Storage is forbidden here, and so are notifications.
  }
}

/** Nobody is kept logged in by a page that was left open, and a page in the background only asks to notify. */
async function ask() {
  if (!session.can("conversations:read") || Date.now() - usedAt > IDLE_MS) return;
  if (document.hidden && !notifications.wanted) return;
  try {
    noteWaiting((await get("/inbox?state=waiting")).conversations);
  } catch {
    // The line that says the network is gone is enough.
  }
}

function showCount() {
  const count = ids?.size ?? 0;
  document.title = count > 0 ? `(${count}) ${title}` : title;
  show(count);
}

function notify({ id, wanted: text }) {
  if (!document.hidden || !notifications.wanted) return;
  const shown = new Notification(t.calls, { body: text, tag: id });
  shown.addEventListener("click", () => {
    window.focus();
    location.hash = href("inbox", id);
  });
}
