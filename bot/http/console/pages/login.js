/** Logging in. */

import { get, post } from "../api.js";
import { field, form, input } from "../forms.js";
import { redirect } from "../router.js";
import { begin } from "../session.js";
import { locale, words } from "../words.js";
import { openGate } from "./gate.js";

const t = words({
  zh: {
    title: "登录",
    sentence: "使用管理员分配给您的账号。",
    name: "用户名",
    password: "密码",
    action: "登录",
    wrong: "用户名或密码不正确。",
    locked: (clock) => `登录失败次数过多，账号已暂时锁定。请在 ${clock} 之后再试。`,
    unlocked: "现在可以重新登录了。",
    notSetUp: "还没有账号",
    openLink: "第一次使用？请打开服务器启动时在终端里显示的一次性设置链接，创建第一个所有者账号。",
  },
  en: {
    title: "Log in",
    sentence: "Use the account that an owner made for you.",
    name: "User name",
    password: "Password",
    action: "Log in",
    wrong: "The user name or the password is wrong.",
    locked: (clock) => `Too many failed attempts; logging in is locked for a while. Try again after ${clock}.`,
    unlocked: "You can try again now.",
    notSetUp: "No account yet",
    openLink:
      "First time here? Open the one-time set-up link that the server printed when it started, and make the first owner.",
  },
});

/** Show the page; after a login, the user is back where they were. */
export async function render(place, { query }) {
  if ((await get("/setup")).needed) return openGate(place, t.notSetUp, t.openLink);
  let unlocking;
  const fields = [
    field(t.name, input("name", { autocomplete: "username", autocapitalize: "none", spellcheck: "false" })),
    field(t.password, input("password", { type: "password", autocomplete: "current-password" })),
  ];
  const login = form(
    fields,
    t.action,
    async (values) => {
      try {
        await begin(await post("/login", values));
      } catch (error) {
        if (error.type !== "locked") throw error;
        return lock(error.retryAfter ?? 60);
      }
      redirect(query.get("back") ?? "#/");
    },
    { problems: { wrong_login: t.wrong } },
  );

  const lock = (seconds) => {
    const until = new Date(Date.now() + seconds * 1_000);
    login.say(t.locked(until.toLocaleTimeString(locale, { hour12: false })));
    login.allow(false);
    unlocking = setTimeout(() => {
      login.say(t.unlocked);
      login.allow(true);
    }, seconds * 1_000);
  };

  openGate(place, t.title, t.sentence, login);
  fields[0].control.focus();
  return () => clearTimeout(unlocking);
}
