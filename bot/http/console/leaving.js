/** A page on which something is not saved yet is left only by those who say so, whichever way they go. */

import { confirm } from "./layers.js";
import { words } from "./words.js";

const t = words({
  zh: {
    title: "放弃没有保存的修改？",
    sentence: "离开后，刚才写的内容就没有了。",
    leave: "放弃修改",
  },
  en: {
    title: "Leave without saving?",
    sentence: "What you have just written would be lost.",
    leave: "Leave",
  },
});

const checks = new Set();
let isAsking = false;

window.addEventListener("beforeunload", (event) => isUnsaved() && event.preventDefault());

/** Guard the present page, as long as it is there: `check()` says whether something on it is not saved. */
export function guard(check) {
  checks.add(check);
}

/** End the guard: the page is gone, or may go. */
export function endGuard() {
  checks.clear();
}

/** Say whether the page may be left: nothing on it is unsaved, or whoever wrote that gives it up. */
export async function mayLeave() {
  return !isUnsaved() || confirm(t.title, t.sentence, t.leave, endGuard);
}

/** Say whether the page stays although the address has changed; the old address is put back until that is decided. */
export function staysAt(address) {
  if (!isUnsaved()) return false;
  history.pushState(null, "", address); // the address that was wanted is the one before it, also after "back"
  void askToLeave();
  return true;
}

async function askToLeave() {
  if (isAsking) return;
  isAsking = true;
  const leaves = await mayLeave();
  isAsking = false;
  if (leaves) history.back();
}

function isUnsaved() {
  return [...checks].some((check) => check());
}
