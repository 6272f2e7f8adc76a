/** What becomes of each of the files that were chosen together. */

import { element } from "/page/dom.js";
import { light } from "../../parts.js";
import { t } from "./words.js";

const COLOURS = { waiting: "off", sending: "warn", seen: "warn", applying: "warn", done: "good", failed: "bad", cancelled: "off" };

/** List them; `say(at, state, detail)` tells what has become of one. */
export function resultList(names) {
  const lights = names.map(() => element("span", {}, light(COLOURS.waiting, t.results.waiting)));
  const items = names.map((name, at) => element("li", {}, element("strong", {}, name), lights[at]));
  const node = element("ul", { class: "card upload-results", "aria-label": t.files, "aria-live": "polite" }, ...items);
  return { node, say };

  function say(at, state, detail = t.results[state]) {
    lights[at].replaceChildren(light(COLOURS[state], detail));
  }
}
