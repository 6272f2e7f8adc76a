/** Spans of days: the last so many or from one day to another, and the span before. Days are texts such as 2026-11-23. */

import { get } from "../../api.js";

/** What can be chosen with one click. */
export const SPANS = ["1", "7", "30", "90"];

const USUAL = "30";
const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Read a span from the page's address: {days} or {start, end}. */
export function readPeriod(query) {
  const [start, end, days] = ["start", "end", "days"].map((name) => query.get(name) ?? "");
  if (DAY.test(start) && DAY.test(end) && start <= end) return { start, end };
  return { days: SPANS.includes(days) ? days : USUAL };
}

/** Return {start, end} of a span and of as many days before it. */
export function daysOf({ days, start, end }, today) {
  const last = days ? today : end;
  const length = days ? Number(days) : between(start, end) + 1;
  const first = shift(last, 1 - length);
  return { now: { start: first, end: last }, before: { start: shift(first, -length), end: shift(first, -1) } };
}

/** Return which day it is where the server stands, which may be another than here. */
export async function serverToday() {
  const yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
  const { days } = await get("/statistics", { start: shift(yesterday, -1) });
  return days.at(-1).date;
}

function shift(day, by) {
  return new Date(Date.parse(day) + by * DAY_MS).toISOString().slice(0, 10);
}

function between(start, end) {
  return Math.round((Date.parse(end) - Date.parse(start)) / DAY_MS);
}
