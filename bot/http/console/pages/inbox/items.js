/** What was said in a conversation, as bubbles. */

import { element } from "/page/dom.js";
import { badge, clockTime, markdown } from "../../parts.js";
import { OUTCOME_COLOURS, t as outcomes } from "../tryit/words.js";
import { t } from "./words.js";

/** Draw one item of a transcript. */
export function drawItem(item, me) {
  if (item.who === "state") return element("p", { class: "happened" }, t.happened[item.text](item.name), " ", clockTime(item.at));
  const name = item.who === "customer" ? t.customer : item.who === "bot" ? t.bot : item.name === me ? t.me : item.name;
  const outcome = item.outcome ? [" ", badge(outcomes.outcomes[item.outcome], OUTCOME_COLOURS[item.outcome])] : [];
  const note = item.who === "note" ? [" ", badge(t.note, "warn")] : [];
  return element(
    "article",
    { class: `message ${item.who === "note" ? "internal" : item.who}` },
    element("header", {}, name, ...note, ...outcome, " ", clockTime(item.at)),
    item.who === "bot" ? element("div", { class: "words" }, markdown(item.text)) : element("p", { class: "words", dir: "auto" }, item.text),
  );
}
