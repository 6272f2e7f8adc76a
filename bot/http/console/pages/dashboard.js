/** The dashboard: how the bot is doing, over a span of days. */

import { element } from "/page/dom.js";
import { get } from "../api.js";
import { input, select } from "../forms.js";
import { card, emptyState, fill, linkButton, pageHead } from "../parts.js";
import { href, setQuery } from "../router.js";
import { table } from "../table.js";
import { OUTCOME_COLOURS, t as outcomes } from "./tryit/words.js";
import { lines, stackedBars } from "./dashboard/charts.js";
import { percent, t, wholeNumber } from "./dashboard/words.js";

const SPANS = ["1", "7", "30", "90"];
const PRICE = "frontdesk.console.price";
const DAY_MS = 86_400_000;

/** Show the page. */
export async function render(place, { query }) {
  place.classList.add("wide");
  const wanted = { days: SPANS.includes(query.get("days")) ? query.get("days") : "30", channel: query.get("channel") ?? "" };
  const area = element("div", { class: "stack" });
  const filters = element("div", { class: "toolbar" });
  place.append(pageHead(t.title, t.sentence), filters, area);
  await load();

  function load() {
    setQuery(wanted);
    return fill(area, () => Promise.all([get("/statistics", span(0)), get("/statistics", span(1))]), draw);
  }

  /** The last days, or those before them. */
  function span(back) {
    const days = Number(wanted.days);
    const end = new Date(Date.now() - back * days * DAY_MS);
    return { start: day(new Date(end - (days - 1) * DAY_MS)), end: day(end), channel: wanted.channel };
  }

  function draw([now, before]) {
    drawFilters(now.channels);
    if (now.totals.questions === 0 && !wanted.channel) return emptyState("dashboard", t.empty, t.emptySentence);
    return [
      element("div", { class: "figures" }, ...figures(now.totals, before.totals)),
      card(t.outcomesTitle, stackedBars(now.days, Object.keys(OUTCOME_COLOURS), outcomes.outcomes, t.outcomesTitle)),
      element(
        "div",
        { class: "halves" },
        card(t.latencyTitle, lines(now.days, [["latency_p50_ms", t.p50], ["latency_p90_ms", t.p90]], "ms", t.latencyTitle)),
        card(t.conversationsTitle, lines(now.days, [["conversations", t.conversations], ["questions", t.questions]], "", t.conversationsTitle)),
      ),
      element("div", { class: "halves" }, card(t.topTitle, top(now.top_questions)), card(t.unansweredTitle, unanswered(now.top_unanswered))),
      card(t.costTitle, cost(now.totals)),
    ];
  }

  function drawFilters(channels) {
    const days = select("days", SPANS.map((each) => [each, t.spans[each]]), wanted.days, { "aria-label": t.span });
    const names = [["", t.everywhere], ...channels.map(({ channel, questions }) => [channel, `${channel} (${questions})`])];
    const channel = select("channel", names, wanted.channel, { "aria-label": t.channel });
    for (const control of [days, channel]) {
      control.addEventListener("change", () => {
        wanted[control.name] = control.value;
        load();
      });
    }
    const csv = linkButton(t.csv, `/api/admin/statistics.csv?${new URLSearchParams(given(span(0)))}`, { icon: "download" });
    csv.download = "";
    filters.replaceChildren(days, channel, csv);
  }

  function figures(now, before) {
    const rated = now.feedback_up + now.feedback_down;
    const ratedBefore = before.feedback_up + before.feedback_down;
    return [
      figure(t.conversations, wholeNumber(now.conversations), change(now.conversations, before.conversations)),
      figure(t.selfService, percent(now.self_service_rate), change(now.self_service_rate, before.self_service_rate), t.selfServiceExplained),
      figure(t.handoffs, wholeNumber(now.handoffs), change(now.handoffs, before.handoffs)),
      figure(t.satisfied, rated ? percent(now.feedback_up / rated) : "–", change(rated ? now.feedback_up / rated : null, ratedBefore ? before.feedback_up / ratedBefore : null), t.rated(rated)),
      figure(t.speed, now.latency_p50_ms === null ? "–" : t.ms(now.latency_p50_ms), change(now.latency_p50_ms, before.latency_p50_ms), now.latency_p90_ms === null ? "" : t.slowest(now.latency_p90_ms)),
    ];
  }
}

function figure(label, value, difference, explained = "") {
  return element(
    "section",
    { class: "card figure" },
    element("h2", {}, label),
    element("p", { class: "value" }, value, difference ? element("small", { title: t.beforeThat }, ` ${difference}`) : null),
    explained ? element("p", { class: "quiet" }, explained) : null,
  );
}

function change(now, before) {
  if (now === null || !before) return "";
  const part = Math.round((100 * (now - before)) / before);
  return part === 0 ? "±0 %" : `${part > 0 ? "+" : "−"}${Math.abs(part)} %`;
}

function top(list) {
  if (list.length === 0) return element("p", { class: "quiet" }, t.nothing);
  const columns = [
    { title: t.question, kind: "main", cell: (each) => element("a", { href: href("entry", each.knowledge_base, each.key) }, each.question) },
    { title: t.times, kind: "number", cell: (each) => wholeNumber(each.count) },
  ];
  return table(t.topTitle, columns, list.slice(0, 10));
}

function unanswered(list) {
  if (list.length === 0) return element("p", { class: "quiet" }, t.nothing);
  const columns = [
    { title: t.question, kind: "main", cell: (each) => each.question },
    { title: t.times, kind: "number", cell: (each) => wholeNumber(each.count) },
  ];
  return element("div", { class: "stack" }, table(t.unansweredTitle, columns, list.slice(0, 10)), linkButton(t.toReview, href("review"), { kind: "quiet" }));
}

/** What the larger model costs, at a price that stays in this browser. */
function cost(totals) {
  const tokens = totals.prompt_tokens_remote + totals.completion_tokens_remote;
  const price = input("price", { type: "number", min: 0, step: "0.1", value: localStorage.getItem(PRICE) ?? "", "aria-label": t.price });
  const sum = element("strong");
  const show = () => {
    localStorage.setItem(PRICE, price.value);
    sum.textContent = price.value ? ((tokens / 1_000_000) * Number(price.value)).toFixed(2) : "–";
  };
  price.addEventListener("input", show);
  show();
  return element(
    "div",
    { class: "toolbar" },
    element("span", {}, t.escalated(wholeNumber(totals.escalated), wholeNumber(tokens))),
    element("label", { class: "toolbar" }, t.price, price),
    element("span", {}, `${t.together} `, sum),
  );
}

function day(date) {
  return date.toLocaleDateString("sv");
}

function given(query) {
  return Object.entries(query).filter(([, value]) => value);
}
