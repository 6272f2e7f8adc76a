/** A session that has ended is taken up again over the page, which keeps what is being written on it. */

import { element } from "/page/dom.js";
import { openDialog } from "../../layers.js";
import { buildLogin } from "./form.js";
import { t } from "./words.js";

/** Ask for a user's password; resolves to whether they are logged in again. */
export async function logInAgain(name) {
  const login = buildLogin(() => dialog.close(true), { name });
  const dialog = openDialog(t.again, element("p", {}, t.againSentence), login.node);
  dialog.node.classList.add("veiling");
  login.focus();
  const isBack = await dialog.closed;
  login.leave();
  return isBack === true;
}
