/** Logging in. */

import { get } from "../api.js";
import { redirect } from "../router.js";
import { openGate } from "./gate.js";
import { buildLogin } from "./login/form.js";
import { t } from "./login/words.js";

/** Show the page; after a login, the user is back where they were. */
export async function render(place, { query }) {
  if ((await get("/setup")).needed) return openGate(place, t.notSetUp, t.openLink);
  const login = buildLogin(() => redirect(query.get("back") ?? "#/"));
  openGate(place, t.title, t.sentence, login.node);
  login.focus();
  return login.leave;
}
