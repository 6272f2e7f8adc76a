/** One setting in a form: its name and what it is for, its control, the way back to its default. */

import { element, icon } from "/page/dom.js";
import { button } from "../../parts.js";
import { words } from "../../words.js";

const t = words({
  zh: {
    reset: "恢复默认",
    resetOf: (label) => `恢复默认：${label}`,
    fixed: (section, name, variable) =>
      `由 frontdesk.toml 的 [${section}] ${name} 或环境变量 ${variable} 设定，只能在那里修改。`,
    refused: (detail) => `服务器不接受这个值：${detail}`,
  },
  en: {
    reset: "Back to default",
    resetOf: (label) => `Back to default: ${label}`,
    fixed: (section, name, variable) =>
      `Set by [${section}] ${name} in frontdesk.toml or by ${variable}; change it there.`,
    refused: (detail) => `The server does not accept this: ${detail}`,
  },
});

let options = 0;

/**
 * Make an option. A control is {node, focus, read(), write(value), isGroup?, isChanged?(), change?()} whose node tells
 * of changes by `input` events; `check(value)` returns what is wrong, or null.
 */
export function option(setting, label, control, { hint = null, check = () => null } = {}) {
  options += 1;
  const full = `${setting.section}.${setting.name}`;
  const id = `option-${options}`;
  const first = plain(control.read());
  const problem = element("p", { class: "field-problem", id: `${id}-problem`, role: "alert" });
  const reset = button(t.reset, goBack, { kind: "quiet small", icon: "undo", "aria-label": t.resetOf(label) });
  const node = element(
    "div",
    { class: "option" },
    element(
      "div",
      { class: "option-name" },
      nameOf(label, control, id),
      hint && element("p", { class: "hint", id: `${id}-hint` }, hint),
    ),
    element("div", { class: "option-control" }, frame(setting, control), problem, setting.fixed ? fixedNote(setting) : reset),
  );
  control.focus.setAttribute("aria-describedby", [hint && `${id}-hint`, problem.id].filter(Boolean).join(" "));
  control.node.addEventListener("input", look);
  look();

  return Object.assign(node, {
    full,
    setting,
    control: control.focus,
    isChanged: () => !setting.fixed && (control.isChanged?.() ?? plain(control.read()) !== first),
    change: () => (control.change ? control.change() : isDefault() ? null : control.read()),
    isValid: () => say(setting.fixed ? null : check(control.read())),
    refuse: (detail) => (say(t.refused(detail)), control.focus.focus()),
  });

  function isDefault() {
    return plain(control.read()) === plain(setting.default);
  }

  function look() {
    reset.hidden = setting.secret || isDefault();
    if (problem.textContent) node.isValid();
  }

  function goBack() {
    control.write(setting.default);
    control.node.dispatchEvent(new Event("input", { bubbles: true }));
    control.focus.focus();
  }

  function say(wrong) {
    problem.textContent = wrong ?? "";
    control.focus.setAttribute("aria-invalid", String(Boolean(wrong)));
    return !wrong;
  }
}

function nameOf(label, control, id) {
  if (!control.isGroup) {
    control.focus.id = id;
    return element("label", { for: id }, label);
  }
  control.node.setAttribute("role", "group");
  control.node.setAttribute("aria-labelledby", `${id}-name`);
  return element("span", { class: "option-label", id: `${id}-name` }, label);
}

function frame(setting, control) {
  return setting.fixed ? element("fieldset", { class: "plain", disabled: true }, control.node) : control.node;
}

function fixedNote({ section, name }) {
  const variable = `FRONTDESK_${section}__${name}`.toUpperCase();
  return element("p", { class: "fixed" }, icon("lock"), t.fixed(section, name, variable));
}

/** Nothing and an empty text are the same. */
function plain(value) {
  return JSON.stringify(value === "" ? null : value);
}
