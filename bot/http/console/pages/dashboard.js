/** The dashboard: how the bot is doing over a span of days, compared with as many days before. */

import { element, icon } from "/page/dom.js";
import { get } from "../api.js";
import { input, select } from "../forms.js";
import { toast } from "../layers.js";
import { button, emptyState, fill, linkButton, pageHead } from "../parts.js";
import { href, setQuery } from "../router.js";
import { charts } from "./dashboard/charts.js";
import { costCard } from "./dashboard/cost.js";
import { figures } from "./dashboard/figures.js";
import { channelList, channelName, topQuestions, topUnanswered } from "./dashboard/lists.js";
import { daysOf, readPeriod, serverToday, SPANS } from "./dashboard/period.js";
import { t, wholeNumber } from "./dashboard/words.js";

const MAX_DAYS = 366;
const DAY_MS = 86_400_000;

/** Show the page. */
export async function render(place, { query, session }) {
  place.classList.add("wide");
  let period = readPeriod(query);
  let channel = query.get("channel") ?? "";
  let today = null;
  const spans = element("div", { class: "segments", role: "group", "aria-label": t.period });
  const own = element("span", { class: "own-days" });
  const where = element("span");
  const csv = linkButton(t.csv, "", { icon: "download" });
  csv.download = "";
  const area = element("div", { class: "stack" });
  place.append(pageHead(t.title, t.sentence, csv), element("div", { class: "toolbar" }, spans, own, where), area);
  await load();

  async function load() {
    setQuery({ ...period, channel });
    drawSpans();
    await fill(area, ask, draw);
  }

  async function ask() {
    today ??= await serverToday();
    const { now, before } = daysOf(period, today);
    csv.href = `/api/admin/statistics.csv?${new URLSearchParams({ ...now, ...(channel ? { channel } : {}) })}`;
    drawOwn(now);
    return Promise.all([now, before].map((days) => get("/statistics", { ...days, channel })));
  }

  function draw([now, before]) {
    drawChannels(now.channels);
    if (now.totals.questions === 0) return nothing(before);
    const { outcomes, volume, latency, ratings } = charts(now.days, now.totals);
    return [
      element("div", { class: "figures" }, ...figures(now.totals, before.totals)),
      outcomes,
      halves(volume, latency),
      halves(topQuestions(now.top_questions), topUnanswered(now.top_unanswered)),
      halves(ratings, channelList(now.channels, (chosen) => show({ channel: chosen }))),
      costCard(now.totals),
    ];
  }

  function nothing(before) {
    const isNew = !channel && period.days && before.totals.questions === 0;
    if (!isNew || period.days !== "90") {
      const widen = button(t.widen, () => show({ period: { days: "90" }, channel: "" }));
      if (!isNew) return emptyState("dashboard", t.quiet, t.quietSentence, widen);
    }
    const actions = [linkButton(t.openChat, "/", { kind: "primary", icon: "external" })];
    if (session.can("admin")) actions.push(linkButton(t.toWidget, href("settings", "widget")));
    return emptyState("dashboard", t.empty, t.emptySentence, ...actions);
  }

  function show(wanted) {
    period = wanted.period ?? period;
    channel = wanted.channel ?? channel;
    return load();
  }

  function drawSpans() {
    const items = SPANS.map((days) => segment(t.spans[days], period.days === days, () => show({ period: { days } })));
    const isOwn = !period.days;
    spans.replaceChildren(...items, segment(t.own, isOwn, () => isOwn || show({ period: daysOf(period, today).now })));
  }

  function drawOwn({ start, end }) {
    own.hidden = Boolean(period.days);
    if (own.contains(document.activeElement)) return; // somebody is still choosing
    const boxes = [[t.from, start], [t.to, end]].map(([label, value]) =>
      input(null, { type: "date", value, max: today, "aria-label": label, change: takeOwn }),
    );
    own.replaceChildren(boxes[0], element("span", {}, "–"), boxes[1]);
  }

  function takeOwn() {
    const [start, end] = [...own.querySelectorAll("input")].map((box) => box.value);
    if (!start || !end) return null;
    const isFit = start <= end && (Date.parse(end) - Date.parse(start)) / DAY_MS < MAX_DAYS;
    return isFit ? show({ period: { start, end } }) : toast(t.tooLong, { kind: "bad" });
  }

  function drawChannels(channels) {
    const known = channels.some((each) => each.channel === channel) || !channel ? channels : [...channels, { channel, questions: 0 }];
    const names = known.map((each) => [each.channel, `${channelName(each.channel)} (${wholeNumber(each.questions)})`]);
    const control = select(null, [["", t.everywhere], ...names], channel, { "aria-label": t.channel });
    control.addEventListener("change", () => show({ channel: control.value }));
    const hadFocus = where.contains(document.activeElement);
    where.replaceChildren(control);
    if (hadFocus) control.focus();
  }
}

function segment(label, isChosen, choose) {
  return element("button", { type: "button", "aria-pressed": String(isChosen), click: choose }, isChosen ? icon("check") : null, label);
}

function halves(...cards) {
  return element("div", { class: "halves" }, ...cards);
}
