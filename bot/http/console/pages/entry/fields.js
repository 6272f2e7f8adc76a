/** The fields of an entry. */

import { element } from "/page/dom.js";
import { field, input, select, textarea } from "../../forms.js";
import { t } from "./words.js";

const MAX_QUESTION = 500;
const MAX_ANSWER = 20_000;

/** Build them; `values()` is what the API takes, `blame(error)` puts its complaint beside the field it names. */
export function buildFields(entry, knownTags, mayWrite) {
  const shut = mayWrite ? {} : { readonly: true };
  const off = mayWrite ? {} : { disabled: true };
  const controls = {
    question: input("question", { maxlength: MAX_QUESTION, value: entry?.question ?? "", ...shut }),
    answer: textarea("answer", { rows: 10, maxlength: MAX_ANSWER, ...shut }, entry?.answer ?? ""),
    variants: textarea("variants", { rows: 6, ...shut }, (entry?.variants ?? []).join("\n")),
    tags: input("tags", { value: (entry?.tags ?? []).join(", "), list: "known-tags", ...shut }),
    status: select("status", Object.entries(t.statuses), entry?.status ?? "published", off),
    language: select("language", Object.entries(t.languages), languageOf(entry), off),
    valid_from: input("valid_from", { type: "date", value: entry?.valid_from ?? "", ...shut }),
    valid_until: input("valid_until", { type: "date", value: entry?.valid_until ?? "", ...shut }),
    action: input("action", { maxlength: 100, value: entry?.action ?? "", ...shut }),
    key: input("key", { maxlength: 100 }),
  };
  const fields = {
    question: field(t.question, controls.question, { hint: t.questionHint }),
    answer: field(t.answer, controls.answer, { hint: t.answerHint }),
    variants: field(t.variants, controls.variants, { hint: t.variantsHint, optional: true, check: checkVariants }),
    tags: field(t.tags, controls.tags, { hint: t.tagsHint, optional: true }),
    status: field(t.status, controls.status, { hint: t.statusHint }),
    language: field(t.language, controls.language, { optional: true }),
    valid_from: field(t.validFrom, controls.valid_from, { optional: true }),
    valid_until: field(t.validUntil, controls.valid_until, { optional: true, check: checkEnd }),
    action: field(t.action, controls.action, { hint: t.actionHint, optional: true }),
    key: field(t.key, controls.key, { hint: t.keyHint, optional: true, check: checkKey }),
  };
  const suggestions = element("datalist", { id: "known-tags" }, ...knownTags.map((tag) => element("option", { value: tag })));
  const more = element(
    "details",
    { open: Boolean(entry?.valid_from || entry?.valid_until || entry?.action) },
    element("summary", {}, t.more),
    element("div", { class: "stack" }, fields.language, pair(fields.valid_from, fields.valid_until), fields.action, ...(entry ? [] : [fields.key])),
  );
  const nodes = [fields.question, fields.answer, fields.variants, pair(fields.tags, fields.status), more, suggestions];
  let kept = JSON.stringify(values());
  return { nodes, values, isValid, blame, isChanged: () => JSON.stringify(values()) !== kept, keep: () => (kept = JSON.stringify(values())) };

  function values() {
    const text = (name) => controls[name].value.trim();
    const given = {
      question: text("question"),
      answer: controls.answer.value.trim(),
      variants: lines(controls.variants.value),
      tags: text("tags").split(/[,，、;；]/).map((tag) => tag.trim()).filter(Boolean),
      status: text("status"),
      language: text("language"),
      valid_from: text("valid_from") || null,
      valid_until: text("valid_until") || null,
      action: text("action") || null,
    };
    return text("key") ? { ...given, key: text("key") } : given;
  }

  function isValid() {
    const wrong = Object.values(fields).filter((each) => !each.isValid());
    wrong[0]?.control.focus();
    return wrong.length === 0;
  }

  function blame(error) {
    const name = /^(\w+)/.exec(error.message ?? "")?.[1];
    if (error.type !== "invalid_request" || !(name in fields)) return false;
    fields[name].querySelector(".field-problem").textContent = error.message.replace(/^[\w.]+: /, "");
    fields[name].control.focus();
    return true;
  }

  function checkEnd(end) {
    return end && controls.valid_from.value && end < controls.valid_from.value ? t.endsTooEarly : null;
  }
}

function languageOf(entry) {
  return entry && entry.language in t.languages ? entry.language : "";
}

function checkVariants(text) {
  return lines(text).some((line) => line.length > MAX_QUESTION) ? t.tooLong(MAX_QUESTION) : null;
}

function checkKey(key) {
  return key.includes("/") ? t.noSlash : null;
}

function lines(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

function pair(...nodes) {
  return element("div", { class: "pair-of-fields" }, ...nodes);
}
