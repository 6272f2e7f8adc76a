/** The numbers at the top, each compared with as many days before. */

import { element } from "/page/dom.js";
import { duration, percent, t, wholeNumber } from "./words.js";

/** Return the tiles for the totals of a period and of the one before. */
export function figures(now, before) {
  const compare = (value, options) => tile({ now: value(now), before: value(before), ...options });
  return [
    compare((all) => all.questions, { label: t.questions, note: `${t.conversations} ${wholeNumber(now.conversations)}` }),
    compare((all) => all.self_service_rate, { label: t.selfService, note: t.selfServiceExplained, isShare: true, better: 1 }),
    compare((all) => all.handoffs, { label: t.handoffs, note: t.handoffsExplained, better: -1 }),
    compare(satisfaction, { label: t.satisfied, note: t.rated(wholeNumber(now.feedback_up + now.feedback_down)), isShare: true, better: 1 }),
    compare((all) => all.latency_p50_ms, {
      label: t.speed,
      note: now.latency_p90_ms === null ? "" : t.slowest(duration(now.latency_p90_ms)),
      write: duration,
      better: -1,
    }),
  ];
}

function satisfaction({ feedback_up: up, feedback_down: down }) {
  return up + down > 0 ? up / (up + down) : null;
}

/** `better` says whether more (1) or less (-1) of it is good; without it, a change is neither. */
function tile({ label, note, now, before, isShare = false, write = isShare ? percent : wholeNumber, better = 0 }) {
  const change = changeOf(now, before, isShare);
  const colour = change === null || change.sign === 0 || better === 0 ? "" : change.sign === better ? "good" : "warn";
  const value = now === null ? "–" : write(now);
  const beside = change
    ? element("span", { class: `against ${colour}`.trim(), title: t.before(write(before)) }, change.text)
    : element("span", { class: "against", title: t.noBefore }, "");
  return element(
    "section",
    { class: "card figure" },
    element("h2", {}, label),
    element("p", { class: "value" }, element("strong", {}, value), beside),
    element("p", { class: "quiet" }, note),
  );
}

/** Shares change by points, all else by a part of what it was. */
function changeOf(now, before, isShare) {
  if (now === null || before === null || (!isShare && before === 0)) return null;
  const difference = Math.round((isShare ? now - before : (now - before) / before) * (isShare ? 1_000 : 100)) / (isShare ? 10 : 1);
  const sign = Math.sign(difference);
  const written = `${["−", "±", "+"][sign + 1]}${wholeNumber(Math.abs(difference))}`;
  return { sign, text: isShare ? t.points(written) : `${written} %` };
}
