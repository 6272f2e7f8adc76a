/** Which charts there are. */

import { card } from "../../parts.js";
import { OUTCOME_COLOURS, t as tried } from "../tryit/words.js";
import { chart } from "./chart.js";
import { dayName, duration, t, wholeNumber } from "./words.js";

/** Return the charts of some days, each in a card. */
export function charts(days, totals) {
  return {
    outcomes: card(t.outcomesTitle, outcomeChart(days)),
    volume: card(t.volumeTitle, volumeChart(days)),
    latency: card(t.latencyTitle, latencyChart(days, totals)),
    ratings: card(t.ratingsTitle, ratingsChart(days)),
  };
}

function outcomeChart(days) {
  const names = Object.keys(OUTCOME_COLOURS).filter((name) => days.some((day) => day.outcomes[name] > 0));
  const series = names.map((name) => ({ name, label: tried.outcomes[name], of: (day) => day.outcomes[name] }));
  return bars(t.outcomesTitle, days, series);
}

function volumeChart(days) {
  const questions = { name: "first", label: t.questions, of: (day) => day.questions };
  const conversations = { name: "second", label: t.conversations, of: (day) => day.conversations, isQuiet: true };
  return bars(t.volumeTitle, days, [questions, conversations]);
}

function ratingsChart(days) {
  const up = { name: "thumbs-up", label: t.up, of: (day) => day.up };
  const down = { name: "thumbs-down", label: t.down, of: (day) => day.down };
  return bars(t.ratingsTitle, days, [up, down]);
}

function latencyChart(days, totals) {
  const p50 = { name: "first", label: t.p50, of: (day) => day.latency_p50_ms };
  const p90 = { name: "second", label: t.p90, of: (day) => day.latency_p90_ms };
  const parts = [[t.p50, totals.latency_p50_ms], [t.p90, totals.latency_p90_ms]]
    .filter(([, value]) => value !== null)
    .map(([label, value]) => t.middle(label, duration(value)));
  return chart({ title: t.latencyTitle, summary: summaryOf(days, parts), shape: "lines", days, series: [p50, p90], format: duration });
}

function bars(title, days, series) {
  const parts = series.map((each) => t.total(each.label, wholeNumber(days.reduce((sum, day) => sum + each.of(day), 0))));
  return chart({ title, summary: summaryOf(days, parts), shape: "bars", days, series, format: wholeNumber });
}

function summaryOf(days, parts) {
  return t.summary(dayName(days[0].date), dayName(days.at(-1).date), parts);
}
