/** The first start: whoever has the one-time link becomes the first owner. */

import { get, post } from "../api.js";
import { field, form, input } from "../forms.js";
import { linkButton } from "../parts.js";
import { href, redirect } from "../router.js";
import { begin } from "../session.js";
import { words } from "../words.js";
import { openGate } from "./gate.js";
import { newPasswordFields } from "./passwords.js";

const t = words({
  zh: {
    title: "欢迎使用 FrontDesk",
    sentence: "先创建所有者账号，之后可以添加同事。",
    name: "用户名",
    nameHint: "登录时使用；接待客户时，客户也看到这个名字。",
    action: "创建账号并登录",
    done: "已经设置过了",
    doneSentence: "这个链接只能使用一次。请用已有的账号登录。",
    login: "去登录",
    wrongToken: "这个链接已失效。服务器每次启动都会显示新的链接，请使用最新的那个。",
  },
  en: {
    title: "Welcome to FrontDesk",
    sentence: "Make the first account. It is an owner, who can add accounts for colleagues.",
    name: "User name",
    nameHint: "You log in with it; customers whom you talk to see it too.",
    action: "Make the account and log in",
    done: "This has been done",
    doneSentence: "The link works only once. Log in with an account that there is.",
    login: "Log in",
    wrongToken: "This link is not valid any more. The server prints a new one at each start; use the newest.",
  },
});

/** Show the page of a set-up link. */
export async function render(place, { parameters }) {
  if (!(await get("/setup")).needed) {
    return openGate(place, t.done, t.doneSentence, linkButton(t.login, href("login"), { kind: "primary" }));
  }
  const name = field(t.name, input("name", { autocomplete: "username", maxlength: 100 }), { hint: t.nameHint });
  const save = async ({ name, password }) => {
    await begin(await post("/setup", { token: parameters.token ?? "", name: name.trim(), password }));
    redirect("#/");
  };
  const problems = { wrong_token: t.wrongToken, set_up_already: t.doneSentence };
  openGate(place, t.title, t.sentence, form([name, ...newPasswordFields()], t.action, save, { problems }));
  name.control.focus();
}
