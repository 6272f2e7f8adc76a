/** The round button in the corner, with a badge for what arrived while the panel was closed. */

import { element, icon } from "../page/dom.js";

/** Return {node, show}; `show` tells the button how things are. */
export function buildLauncher(toggle) {
  const badge = element("span", { class: "unread", "data-testid": "unread", "aria-hidden": "true" });
  const face = element("span", { class: "face" });
  const node = element(
    "button",
    { type: "button", class: "launcher", "data-testid": "launcher", "aria-expanded": "false", click: toggle },
    face,
    badge,
  );

  function show({ isOpen, unread, words }) {
    const label = isOpen ? words.close : unread > 0 ? words.unread(unread) : words.open;
    face.replaceChildren(icon(isOpen ? "close" : "bot"));
    node.setAttribute("aria-expanded", String(isOpen));
    node.setAttribute("aria-label", label);
    node.title = label;
    badge.textContent = unread > 9 ? "9+" : String(unread);
    badge.hidden = unread === 0;
  }

  return { node, show };
}
