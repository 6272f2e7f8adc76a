/** Opening hours as the settings write them, such as "mon-fri 09:00-18:00", and as a week of seven lists of spans. */

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const SPAN = /^(\w{3})(?:-(\w{3}))? +(\d{1,2}:\d\d)-(\d{1,2}:\d\d)$/;

/** Return seven lists of [start, end]. */
export function readWeek(texts) {
  const week = DAYS.map(() => []);
  for (const text of texts) {
    const [, first, last = first, start, end] = SPAN.exec(text.trim().toLowerCase());
    for (let day = DAYS.indexOf(first); day <= DAYS.indexOf(last); day += 1) {
      week[day].push([start.padStart(5, "0"), end.padStart(5, "0")]);
    }
  }
  return week.map((spans) => spans.sort());
}

/** Return the texts for a week; days in a row with the same spans become one. */
export function writeWeek(week) {
  const texts = [];
  for (let first = 0; first < DAYS.length; ) {
    let last = first;
    while (last + 1 < DAYS.length && same(week[last + 1], week[first])) last += 1;
    const days = first === last ? DAYS[first] : `${DAYS[first]}-${DAYS[last]}`;
    texts.push(...week[first].map(([start, end]) => `${days} ${start}-${end}`));
    first = last + 1;
  }
  return texts;
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
