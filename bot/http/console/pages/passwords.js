/** Choosing a password: the same fields wherever one does. */

import { field, input } from "../forms.js";
import { words } from "../words.js";

const MIN_LENGTH = 10;

const t = words({
  zh: {
    password: "密码",
    hint: `至少 ${MIN_LENGTH} 个字符。几个词连在一起，又长又好记。`,
    short: (missing) => `还差 ${missing} 个字符`,
    again: "再输入一次",
    different: "两次输入的密码不一样",
  },
  en: {
    password: "Password",
    hint: `At least ${MIN_LENGTH} characters. A few words in a row are long and easy to remember.`,
    short: (missing) => `${missing} more character${missing > 1 ? "s" : ""} needed`,
    again: "The same again",
    different: "These two are not the same",
  },
});

/** Make the field for a new password, named "password"; the fields after it are for comparing. */
export function newPasswordFields(label = t.password) {
  const first = input("password", { type: "password", autocomplete: "new-password", maxlength: 200 });
  const second = input("again", { type: "password", autocomplete: "new-password" });
  const isLong = (password) => ([...password].length < MIN_LENGTH ? t.short(MIN_LENGTH - [...password].length) : null);
  const isSame = (password) => (password === first.value ? null : t.different);
  return [field(label, first, { hint: t.hint, check: isLong }), field(t.again, second, { check: isSame })];
}
