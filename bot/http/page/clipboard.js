/** The clipboard, also where the page does not come over HTTPS. */

import { element } from "./dom.js";

/** Copy a text; `button` is what was pressed for it. */
export async function copyText(text, button) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = element("textarea", { class: "visually-hidden" });
  field.value = text;
  button.after(field); // in the same dialog: what is outside of it cannot be selected
  field.select();
  document.execCommand("copy");
  field.remove();
  button.focus();
  return undefined;
}
