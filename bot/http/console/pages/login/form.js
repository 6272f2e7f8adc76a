/** The form to log in by. */

import { post } from "../../api.js";
import { field, form, input } from "../../forms.js";
import { begin } from "../../session.js";
import { locale } from "../../words.js";
import { t } from "./words.js";

/** Build it: `done()` is called once somebody is logged in, who must be `name` if that is given; `leave()` ends it. */
export function buildLogin(done, { name = null } = {}) {
  let unlocking;
  const who = { autocomplete: "username", autocapitalize: "none", spellcheck: "false", value: name ?? "", readonly: name !== null };
  const names = field(t.name, input("name", who));
  const passwords = field(t.password, input("password", { type: "password", autocomplete: "current-password" }));
  const node = form([names, passwords], t.action, logIn, { problems: { wrong_login: t.wrong } });
  return { node, focus: () => (name === null ? names : passwords).control.focus(), leave: () => clearTimeout(unlocking) };

  async function logIn(values) {
    try {
      await begin(await post("/login", values));
    } catch (error) {
      if (error.type !== "locked") throw error;
      return lock(error.retryAfter ?? 60);
    }
    return done();
  }

  function lock(seconds) {
    const until = new Date(Date.now() + seconds * 1_000);
    node.say(t.locked(until.toLocaleTimeString(locale, { hour12: false })));
    node.allow(false);
    unlocking = setTimeout(() => {
      node.say(t.unlocked);
      node.allow(true);
    }, seconds * 1_000);
  }
}
