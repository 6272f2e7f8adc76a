/** What the larger model costs, at a price that stays in this browser. */

import { element } from "/page/dom.js";
import { field, input } from "../../forms.js";
import { card } from "../../parts.js";
import { locale } from "../../words.js";
import { t, wholeNumber } from "./words.js";

const KEPT = "frontdesk.console.price-per-million-tokens";
const MILLION = 1_000_000;
const MONEY = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const SMALL_MONEY = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 });

/** Make the card for the totals of a period. */
export function costCard(totals) {
  const tokens = totals.prompt_tokens_remote + totals.completion_tokens_remote;
  const price = input("price", { type: "number", min: 0, step: "any", inputmode: "decimal", value: remembered() });
  const sum = element("strong");
  const each = element("small", { class: "quiet" });
  const result = element("p", { class: "cost-sum", role: "status" }, element("span", {}, t.cost), sum, each);
  price.addEventListener("input", () => {
    remember(price.value);
    show();
  });
  show();
  const facts = [
    [t.escalated, totals.escalated],
    [t.promptTokens, totals.prompt_tokens_remote],
    [t.completionTokens, totals.completion_tokens_remote],
  ];
  return card(
    t.costTitle,
    element("p", { class: "quiet" }, t.costSentence),
    element("dl", { class: "facts-list" }, ...facts.flatMap(([name, count]) => [element("dt", {}, name), element("dd", {}, wholeNumber(count))])),
    element("div", { class: "cost" }, field(t.price, price, { hint: t.priceHint, optional: true, noted: false }), result),
  );

  function show() {
    const isGiven = price.value !== "" && Number(price.value) >= 0;
    const cost = (tokens / MILLION) * Number(price.value);
    sum.textContent = isGiven ? MONEY.format(cost) : "–";
    each.textContent = !isGiven ? t.noPrice : totals.questions > 0 ? t.perQuestion(SMALL_MONEY.format(cost / totals.questions)) : "";
  }
}

function remembered() {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

function remember(price) {
  try {
    localStorage.setItem(KEPT, price);
  } catch {
    // The price holds until the page is left.
  }
}
