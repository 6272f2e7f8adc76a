/** The only two ways in which this page makes elements: nothing is ever parsed as HTML. */

import { ICONS } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; attributes that are null or false are left out, functions become listeners of that event. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Make an icon. */
export function icon(name) {
  const { size, shapes } = ICONS[name];
  const svg = drawing("svg", { class: "icon", viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true" });
  svg.append(...shapes.map(([tag, attributes]) => drawing(tag, attributes)));
  return svg;
}

function drawing(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Make a small button that shows only an icon; `label` is read out and shown on hovering. */
export function iconButton(name, label, attributes = {}) {
  return element(
    "button",
    { type: "button", class: "icon-button", title: label, "aria-label": label, ...attributes },
    icon(name),
  );
}
