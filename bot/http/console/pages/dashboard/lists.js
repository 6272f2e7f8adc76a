/** What was asked most, what was not answered, and where: lists whose bars show how much of all each is. */

import { element } from "/page/dom.js";
import { card, linkButton } from "../../parts.js";
import { href } from "../../router.js";
import { percent, t, wholeNumber } from "./words.js";

const SHOWN = 10;

/** The entries that answered most. */
export function topQuestions(list) {
  const rows = list.slice(0, SHOWN).map((each) => ({ ...each, address: href("entry", each.knowledge_base, each.key) }));
  return card(t.topTitle, ranking(rows, t.topEmpty));
}

/** The questions that were refused most. */
export function topUnanswered(list) {
  const more = list.length > 0 ? linkButton(t.toReview, `${href("review")}?kind=refused`, { kind: "quiet" }) : null;
  const rows = list.slice(0, SHOWN).map((each) => ({ ...each, address: `${href("review")}?kind=refused` }));
  const node = card(t.unansweredTitle, ranking(rows, t.unansweredEmpty));
  if (more) node.append(more);
  return node;
}

/** The channels; `choose(channel)` shows one alone. */
export function channelList(channels, choose) {
  const total = channels.reduce((sum, each) => sum + each.questions, 0);
  const rows = channels.map(({ channel, questions }) => ({
    question: channelName(channel),
    count: questions,
    note: percent(questions / total),
    run: () => choose(channel),
  }));
  return card(t.channelsTitle, ranking(rows, t.topEmpty));
}

/** Return what a channel is called. */
export function channelName(channel) {
  return t.channels[channel] ?? channel;
}

function ranking(rows, nothing) {
  if (rows.length === 0) return element("p", { class: "quiet" }, nothing);
  const most = Math.max(...rows.map((row) => row.count));
  return element("ol", { class: "ranking" }, ...rows.map((row) => item(row, most)));
}

function item({ question, count, note, address, run }, most) {
  const bar = element("i", { "aria-hidden": "true" });
  bar.style.width = `${(100 * count) / most}%`;
  const name = run
    ? element("button", { type: "button", class: "link", click: run }, question)
    : element("a", { href: address }, question);
  const counted = element("span", { class: "ranking-count" }, element("strong", {}, wholeNumber(count)), note && element("small", {}, note));
  return element("li", {}, bar, name, counted);
}
