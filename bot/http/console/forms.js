/** Fields and forms. */

import { element, icon, iconButton } from "/page/dom.js";
import { button, whileBusy } from "./parts.js";
import { explain } from "./problems.js";
import { words } from "./words.js";

const t = words({
  zh: { required: "请填写此项", optional: "选填", show: "显示密码", hide: "隐藏密码" },
  en: {
    required: "Please fill this in",
    optional: "optional",
    show: "Show password",
    hide: "Hide password",
  },
});

let fields = 0;

/** Put a label, a hint and a place for what is wrong around a control; `check(value)` returns
 * that, or null. Being optional is `noted`, unless all fields around it are. */
export function field(label, control, { hint = null, optional = false, noted = optional, check = () => null } = {}) {
  fields += 1;
  control.id ||= `field-${fields}`;
  const problem = element("p", { class: "field-problem", id: `${control.id}-problem` });
  const help = hint && element("p", { class: "hint", id: `${control.id}-hint` }, hint);
  control.setAttribute("aria-describedby", [hint && `${control.id}-hint`, problem.id].filter(Boolean).join(" "));
  if (!optional) control.setAttribute("aria-required", "true");
  const note = noted ? element("span", { class: "quiet" }, ` · ${t.optional}`) : null;
  const shown = control.type === "password" ? revealable(control) : control;
  const node = element(
    "div",
    { class: "field" },
    element("label", { for: control.id }, label, note),
    shown,
    help,
    problem,
  );
  node.isValid = () => {
    const wrong = (!optional && control.value.trim() === "" && t.required) || check(control.value);
    problem.textContent = wrong || "";
    control.setAttribute("aria-invalid", wrong ? "true" : "false");
    return !wrong;
  };
  control.addEventListener("input", () => problem.textContent && node.isValid());
  node.control = control;
  return node;
}

/** Make a one-line control. */
export function input(name, attributes = {}) {
  return element("input", { name, type: "text", class: "input", autocomplete: "off", ...attributes });
}

/** Make a control of several lines that grows with what is written. */
export function textarea(name, attributes = {}, text = "") {
  return element("textarea", { name, class: "input", rows: 4, ...attributes }, text);
}

/** Make a choice of one: options are [value, label] pairs. */
export function select(name, options, chosen = null, attributes = {}) {
  const items = options.map(([value, label]) => element("option", { value, selected: value === chosen }, label));
  return element("select", { name, class: "input", ...attributes }, ...items);
}

/** Make a box to tick. */
export function checkbox(name, label, { value = "on", checked = false, hint = null } = {}) {
  const box = element("input", { type: "checkbox", name, value, checked });
  const text = element("span", {}, label, hint && element("small", {}, hint));
  return element("label", { class: "check" }, box, text);
}

/** Make a search box: `onSearch(text)` is called a moment after the last key. */
export function searchBox(label, text, onSearch) {
  const control = input("search", { type: "search", value: text, placeholder: label, "aria-label": label });
  let timer;
  control.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (control.isConnected) onSearch(control.value.trim()); // the page may have been left meanwhile
    }, 250);
  });
  return element("div", { class: "search" }, icon("search"), control);
}

function revealable(control) {
  const eye = iconButton("eye", t.show, { "aria-pressed": "false" });
  eye.addEventListener("click", () => {
    const shown = control.type === "password";
    control.type = shown ? "text" : "password";
    eye.setAttribute("aria-pressed", String(shown));
    eye.setAttribute("aria-label", shown ? t.hide : t.show);
    eye.title = shown ? t.hide : t.show;
    eye.replaceChildren(icon(shown ? "eye-off" : "eye"));
  });
  return element("div", { class: "revealable" }, control, eye);
}

/**
 * Make a form. `save(values)` is called when every field is right: the button is busy while it runs, and what it
 * throws is said above the button, by its type in the page's own words (`problems`) or the common ones.
 */
export function form(children, action, save, { kind = "primary", problems = {}, beside = [] } = {}) {
  const problem = element("p", { class: "form-problem", role: "alert", hidden: true });
  const submit = button(action, null, { kind, type: "submit" });
  const node = element("form", { class: "form", novalidate: true }, ...children, problem);
  node.append(element("div", { class: "form-buttons" }, ...beside, submit));
  node.say = (sentence) => {
    problem.hidden = !sentence;
    problem.textContent = sentence;
  };
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, async () => {
      node.say("");
      const wrong = children.filter((child) => child.isValid && !child.isValid());
      if (wrong.length > 0) return wrong[0].control.focus();
      try {
        await save(valuesOf(node));
      } catch (error) {
        node.say(explain(error, problems));
      }
    });
  });
  node.allow = (allowed) => (submit.disabled = !allowed);
  return node;
}

/** Return the values of a form by name; of boxes with one name, the list of those ticked. */
export function valuesOf(node) {
  const data = new FormData(node);
  const values = Object.fromEntries(data);
  for (const box of node.querySelectorAll("input[type=checkbox]")) values[box.name] = data.getAll(box.name);
  return values;
}
