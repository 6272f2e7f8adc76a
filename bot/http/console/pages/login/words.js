/** What is said about logging in. */

import { words } from "../../words.js";

export const t = words({
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
    again: "登录已过期",
    againSentence: "请重新输入密码。页面上没有保存的内容都还在。",
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
    again: "Your session has ended",
    againSentence: "Enter your password again. Whatever is not saved on the page is still there.",
  },
});
