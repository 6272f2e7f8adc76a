/** What lies above the page: dialogs, menus and toasts. */

import { element, icon, iconButton } from "/page/dom.js";
import { form } from "./forms.js";
import { button } from "./parts.js";
import { words } from "./words.js";

const t = words({
  zh: { cancel: "取消", close: "关闭" },
  en: { cancel: "Cancel", close: "Close" },
});

const TOAST_MS = 5_000;

/** Open a dialog around `content`; returns {node, close(result), closed}, where `closed` resolves to the result or null. */
export function openDialog(title, ...content) {
  const heading = element("h2", { id: `dialog-${Date.now()}` }, title);
  const shut = iconButton("close", t.close, { click: () => close() });
  const head = element("header", {}, heading, shut);
  const node = element("dialog", { class: "dialog", "aria-labelledby": heading.id }, head, ...content);
  const opener = document.activeElement;
  let result = null;
  const close = (value = null) => {
    result = value;
    node.close();
  };
  const closed = new Promise((resolve) => {
    node.addEventListener("close", () => {
      node.remove();
      if (opener?.isConnected) opener.focus();
      resolve(result);
    });
  });
  document.body.append(node);
  node.showModal();
  (node.querySelector("[autofocus], .input, .form-buttons button") ?? shut).focus();
  return { node, close, closed };
}

/** Ask something in a form; resolves to what `save(values)` returned, or to null if it was called off. */
export function openForm(title, children, action, save, options = {}) {
  const cancel = button(t.cancel, () => dialog.close());
  const finish = async (values) => dialog.close((await save(values)) ?? true);
  const dialog = openDialog(title, form(children, action, finish, { ...options, beside: [cancel] }));
  return dialog.closed;
}

/** Ask whether something that cannot be undone shall be done; `act` does it, and its error is shown in the dialog. */
export async function confirm(title, sentence, action, act, { kind = "danger", problems = {} } = {}) {
  return (await openForm(title, [element("p", {}, sentence)], action, act, { kind, problems })) !== null;
}

/** Where toasts appear; in the document from the start, so that screen readers watch it. */
export const toasts = element("div", { class: "toasts", role: "status", "aria-live": "polite", popover: "manual" });

/** Say for a moment that something was done; `action` is {label, run} to undo it or to go on. */
export function toast(text, { kind = "good", action = null } = {}) {
  if (toasts.matches(":popover-open")) toasts.hidePopover();
  toasts.showPopover(); // above a dialog that was opened since
  const node = element(
    "div",
    { class: `toast ${kind}` },
    icon(kind === "good" ? "check" : "warning"),
    element("p", {}, text),
  );
  const leave = () => node.remove();
  if (action) node.append(button(action.label, () => (leave(), action.run()), { kind: "quiet" }));
  node.append(iconButton("close", t.close, { click: leave }));
  toasts.append(node);
  setTimeout(leave, action ? TOAST_MS * 2 : TOAST_MS);
}

/** Give a button a menu; `items()` returns {label, icon?, run | address, danger?, chosen?} or null for a line. */
export function menu(opener, items) {
  const list = element("div", { class: "menu", role: "menu", popover: "auto" });
  opener.setAttribute("aria-haspopup", "menu");
  opener.setAttribute("aria-expanded", "false");
  let wasOpen = false; // when the button was pressed, which closes the list before there is a click
  opener.addEventListener("pointerdown", () => (wasOpen = opener.getAttribute("aria-expanded") === "true"));
  opener.addEventListener("click", (event) => {
    const isPressed = event.detail > 0; // not by the keyboard
    if (!isPressed || !wasOpen) open();
  });
  opener.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || list.isConnected) return;
    event.preventDefault();
    open();
  });
  list.addEventListener("keydown", (event) => move(list, event));
  list.addEventListener("toggle", (event) => {
    if (event.newState === "open") return;
    list.remove();
    opener.setAttribute("aria-expanded", "false");
  });
  const open = () => {
    list.replaceChildren(...items().map((item) => menuItem(item, () => list.hidePopover())));
    opener.after(list);
    list.showPopover();
    opener.setAttribute("aria-expanded", "true");
    place(list, opener.getBoundingClientRect());
    list.querySelector(".menu-item")?.focus();
  };
  return opener;
}

function menuItem(item, close) {
  if (item === null) return element("hr");
  const mark = item.chosen ? icon("check") : null;
  const attributes = {
    class: `menu-item${item.danger ? " danger" : ""}`,
    role: item.chosen === undefined ? "menuitem" : "menuitemradio",
  };
  if (item.chosen !== undefined) attributes["aria-checked"] = String(item.chosen);
  const inside = [item.icon ? icon(item.icon) : null, element("span", {}, item.label), mark];
  if (item.address) return element("a", { ...attributes, href: item.address, click: close }, ...inside);
  return element("button", { ...attributes, type: "button", click: () => (close(), item.run()) }, ...inside);
}

/** Below the button and flush with its nearer edge; above it where there is no room. */
function place(list, anchor) {
  const { offsetWidth: width, offsetHeight: height } = list;
  const below = anchor.bottom + 4 + height <= innerHeight;
  const left = anchor.left + width <= innerWidth - 8 ? anchor.left : anchor.right - width;
  list.style.top = `${below ? anchor.bottom + 4 : Math.max(8, anchor.top - 4 - height)}px`;
  list.style.left = `${Math.max(8, left)}px`;
}

function move(list, event) {
  if (event.key === "Tab") return list.hidePopover();
  const items = [...list.querySelectorAll(".menu-item")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items.at(to % items.length).focus();
}
