/** What became of an entry: who did what, and when. */

import { element } from "/page/dom.js";
import { button, card, time } from "../../parts.js";
import { changedFields } from "./difference.js";
import { t } from "./words.js";

/** Make the card; with `restore(state)`, every earlier state can be had again. */
export function historyCard(changes, restore) {
  const items = changes.map((change, at) => item(change, at === 0 ? null : restore));
  return card(t.history, element("ol", { class: "history" }, ...items));
}

function item(change, restore) {
  const what = change.before === null ? t.added : change.after === null ? t.removed : t.changed;
  const head = element("p", {}, element("strong", {}, change.actor === "command line" ? t.commandLine : change.actor), ` ${what} `, time(change.at));
  const details =
    change.before && change.after
      ? [element("details", {}, element("summary", {}, t.showChange), changedFields(change.before, change.after))]
      : [];
  const again = restore && change.after ? [button(t.restore, () => restore(change.after), { kind: "quiet", icon: "undo" })] : [];
  return element("li", {}, head, ...details, ...again);
}
