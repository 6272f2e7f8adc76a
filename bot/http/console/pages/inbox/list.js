/** The conversations, those that wait longest first. */

import { element } from "/page/dom.js";
import { badge, emptyState, time } from "../../parts.js";
import { href } from "../../router.js";
import { t } from "./words.js";

const SEEN = new Map();

/** Draw the list; what changed since a conversation was last open is marked. */
export function drawList(place, conversations, { chosen, me }) {
  for (const each of conversations) {
    if (each.id === chosen) SEEN.set(each.id, each.last_at);
  }
  place.redraw = draw;
  draw();

  function draw() {
    if (conversations.length === 0) return place.replaceChildren(emptyState("check", t.nobody, t.nobodySentence));
    const held = document.activeElement?.dataset?.conversation;
    place.replaceChildren(element("ul", { "aria-label": t.title }, ...conversations.map(item)));
    if (held) place.querySelector(`[data-conversation="${CSS.escape(held)}"]`)?.focus();
    return undefined;
  }

  function item(each) {
    const isNew = SEEN.get(each.id) !== each.last_at;
    const at = each.handoff === "waiting" ? each.waiting_since : each.last_at;
    const link = element(
      "a",
      { href: href("inbox", each.id), "data-conversation": each.id, "aria-current": each.id === chosen ? "page" : null },
      element("span", { class: "row" }, element("span", {}, state(each), " ", t.channels[each.channel] ?? each.channel), time(at)),
      element("strong", { class: isNew ? "new" : null }, each.wanted || t.noText),
      each.handoff !== "waiting" && each.last_text !== each.wanted ? element("span", { class: "quiet" }, each.last_text) : null,
    );
    return element("li", {}, link);
  }

  function state({ handoff, agent }) {
    if (handoff === "waiting") return badge(t.waiting, "warn");
    if (handoff === "human") return badge(agent === me ? t.mine : agent, agent === me ? "accent" : "info");
    return badge(t.states[handoff]);
  }
}
