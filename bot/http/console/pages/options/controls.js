/** Controls for options: each has a node, what gets the focus, and how its value is read and written. */

import { element } from "/page/dom.js";
import { input, select, textarea } from "../../forms.js";

/** A text of one line; nothing is null. */
export function text(value, attributes = {}) {
  const node = input(null, attributes);
  return simple(node, value, () => node.value.trim() || null);
}

/** A text of several lines. */
export function paragraph(value, attributes = {}) {
  const node = textarea(null, { rows: 2, ...attributes });
  return simple(node, value, () => node.value.trim() || null);
}

/** A list of texts, each on its line. */
export function lines(values, attributes = {}) {
  const node = textarea(null, { rows: 3, ...attributes });
  const control = simple(node, "", () => node.value.split("\n").map((line) => line.trim()).filter(Boolean));
  control.write = (list) => (node.value = list.join("\n"));
  control.write(values);
  return control;
}

/** A number, with what it counts behind it. */
export function number(value, unit, attributes = {}) {
  const box = input(null, { type: "number", step: 1, ...attributes });
  const control = simple(box, value, () => (box.value === "" ? null : Number(box.value)));
  control.node = element("span", { class: "with-unit" }, box, element("span", { class: "quiet" }, unit));
  return control;
}

/** A choice of one: [value, label] pairs. */
export function choice(value, options) {
  const node = select(null, options, value ?? "");
  return simple(node, value, () => node.value || null);
}

/** Something that is so or is not. */
export function toggle(value, label) {
  const box = element("input", { type: "checkbox", role: "switch", class: "switch" });
  const node = element("label", { class: "check" }, box, element("span", {}, label));
  const control = { node, focus: box, read: () => box.checked, write: (isOn) => (box.checked = isOn) };
  control.write(value);
  return control;
}

/** A choice of several: [value, label] pairs. All of them ticked is an empty list, none of them null. */
export function several(values, options) {
  const boxes = options.map(([value, label]) => {
    const box = element("input", { type: "checkbox", value });
    return { box, node: element("label", { class: "check" }, box, element("span", {}, label)) };
  });
  const node = element("div", { class: "stack" }, ...boxes.map((each) => each.node));
  const ticked = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
  const control = {
    node,
    focus: boxes[0].box,
    isGroup: true,
    read: () => (ticked().length === boxes.length ? [] : ticked().length === 0 ? null : ticked()),
    write: (given) => boxes.forEach(({ box }) => (box.checked = given.length === 0 || given.includes(box.value))),
  };
  control.write(values);
  return control;
}

function simple(node, value, read) {
  node.removeAttribute("name");
  const control = { node, focus: node, read, write: (given) => (node.value = given ?? "") };
  control.write(value);
  return control;
}
