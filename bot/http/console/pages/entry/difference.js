/** What is different between two states of an entry, in a form that people can read. */

import { element } from "/page/dom.js";
import { t } from "./words.js";

const FIELDS = ["question", "answer", "variants", "tags", "status", "language", "valid_from", "valid_until", "action"];
const PIECE = /[\u3400-\u9fff]|[\p{L}\p{N}]+|\s+|[^\s]/gu;
const LONGEST = 1_500;

/** Return a list with a part for each field that differs. */
export function changedFields(before, after) {
  const changed = FIELDS.filter((name) => text(before?.[name]) !== text(after?.[name]));
  const parts = changed.map((name) =>
    element("div", {}, element("dt", {}, t.fields[name]), element("dd", {}, difference(text(before?.[name]), text(after?.[name])))),
  );
  return element("dl", { class: "difference" }, ...parts);
}

function text(value) {
  return Array.isArray(value) ? value.join("\n") : (value ?? "");
}

/** Return the new text with what was taken out and put in marked: by character in Chinese, by word elsewhere. */
export function difference(before, after) {
  const [old, fresh] = [before.match(PIECE) ?? [], after.match(PIECE) ?? []];
  const node = element("p", {});
  const pieces = old.length * fresh.length > LONGEST ** 2 ? [["del", before], ["ins", after]] : compare(old, fresh);
  for (const [kind, piece] of pieces) {
    const last = node.lastElementChild;
    if (last && last.dataset.kind === kind) last.textContent += piece;
    else node.append(element(kind === "same" ? "span" : kind, { "data-kind": kind }, piece));
  }
  return node;
}

/** Longest common subsequence. */
function compare(old, fresh) {
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = fresh.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = old[i] === fresh[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const pieces = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (i < old.length && old[i] === fresh[j]) {
      pieces.push(["same", old[i]]);
      i += 1;
      j += 1;
    } else if (j >= fresh.length || (i < old.length && lengths[i + 1][j] >= lengths[i][j + 1])) {
      pieces.push(["del", old[i]]);
      i += 1;
    } else {
      pieces.push(["ins", fresh[j]]);
      j += 1;
    }
  }
  return pieces;
}
