/** Changing one's own password. */

import { post } from "../api.js";
import { field, form, input } from "../forms.js";
import { toast } from "../layers.js";
import { card, pageHead } from "../parts.js";
import { words } from "../words.js";
import { newPasswordFields } from "./passwords.js";

const t = words({
  zh: {
    title: "修改密码",
    sentence: "修改后，您在其他设备上的登录会失效。",
    old: "当前密码",
    new: "新密码",
    action: "保存新密码",
    changed: "密码已修改",
    wrong: "当前密码不正确。",
  },
  en: {
    title: "Change password",
    sentence: "You will be logged out on all other devices.",
    old: "Current password",
    new: "New password",
    action: "Save the new password",
    changed: "Your password is changed",
    wrong: "The current password is wrong.",
  },
});

/** Show the page. */
export async function render(place, { session }) {
  const whose = input("username", { value: session.user.name, autocomplete: "username", hidden: true }); // for password managers
  const old = field(t.old, input("old", { type: "password", autocomplete: "current-password" }));
  const fields = [whose, old, ...newPasswordFields(t.new)];
  const change = form(
    fields,
    t.action,
    async (values) => {
      await post("/me/password", { old: values.old, new: values.password });
      change.reset();
      toast(t.changed);
    },
    { problems: { wrong_login: t.wrong, wrong_password: t.wrong } },
  );
  const frame = card(null, change);
  frame.classList.add("narrow");
  place.append(pageHead(t.title, t.sentence), frame);
}
