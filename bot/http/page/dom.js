/** The only two ways in which this page makes elements: nothing is ever parsed as HTML. */

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

/** Make an icon from the sprite in index.html. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Make a small button that shows only an icon; `label` is read out and shown on hovering. */
export function iconButton(name, label, attributes = {}) {
  return element(
    "button",
    { type: "button", class: "icon-button", title: label, "aria-label": label, ...attributes },
    icon(name),
  );
}
