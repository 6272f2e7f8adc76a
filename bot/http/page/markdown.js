/** A safe subset of Markdown, as elements. Whatever it does not know stays text; nothing is parsed as HTML. */

import { element } from "./dom.js";

const FENCE = /^\s*```/;
const HEADING = /^#{1,6}\s+(.+?)\s*#*$/;
const ITEM = /^(\s*)([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const CONTINUATION = /^\s{2,}\S/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const NESTED_BY = 2;

const ADDRESS = "(?<url>(?:https?://|(?<!\\w)(?:mailto|tel):)[^\\s<>\"'`|，。；：！？、（）《》「」【】]{1,2000})";
const BARE = new RegExp(ADDRESS, "g");
const INLINE = new RegExp(
  [
    "\\\\(?<escaped>[\\\\`*_\\[\\]()#|])",
    "`(?<code>[^`\\n]+)`",
    "\\[(?<label>[^\\[\\]\\n]{1,300})\\]\\((?<target>[^()\\s]{1,2000})\\)",
    "\\[(?<mark>\\d{1,2})\\]",
    "\\*\\*(?<bold>\\S(?:[^\\n]{0,2000}?\\S)?)\\*\\*",
    "(?<![*\\w])\\*(?<italic>[^*\\s](?:[^*\\n]{0,2000}?[^*\\s])?)\\*(?![*\\w])",
    "(?<![_\\w])_(?<italic2>[^_\\s](?:[^_\\n]{0,2000}?[^_\\s])?)_(?![_\\w])",
    ADDRESS,
  ].join("|"),
  "g",
);
const SAFE_PROTOCOLS = new Set(["http:", "https:", "mailto:", "tel:"]);

/** Return the elements of `text`; `makeMark(number)` makes an inline citation mark, or returns null for plain text. */
export function renderMarkdown(text, makeMark = () => null) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks = document.createDocumentFragment();
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === "") {
      at += 1;
      continue;
    }
    const [block, next] = readBlock(lines, at, makeMark);
    blocks.append(block);
    at = next;
  }
  return blocks;
}

/** Return `text` as it was written, but with its addresses as links. */
export function renderPlain(text) {
  return renderInline(text.replace(/\r\n?/g, "\n"), null, BARE);
}

function readBlock(lines, at, makeMark) {
  if (FENCE.test(lines[at])) return readCode(lines, at);
  if (HEADING.test(lines[at])) return readHeading(lines, at, makeMark);
  if (ITEM.test(lines[at])) return readList(lines, at, makeMark);
  if (startsTable(lines, at)) return readTable(lines, at, makeMark);
  return readParagraph(lines, at, makeMark);
}

function startsBlock(lines, at) {
  return FENCE.test(lines[at]) || HEADING.test(lines[at]) || ITEM.test(lines[at]) || startsTable(lines, at);
}

function readCode(lines, start) {
  let end = start + 1;
  while (end < lines.length && !FENCE.test(lines[end])) end += 1;
  const code = element("code", {}, lines.slice(start + 1, end).join("\n"));
  return [element("pre", { tabindex: "0" }, code), end + 1];
}

function readHeading(lines, at, makeMark) {
  const [, title] = HEADING.exec(lines[at]);
  return [element("p", { class: "heading" }, element("strong", {}, renderInline(title, makeMark))), at + 1];
}

function readParagraph(lines, start, makeMark) {
  let end = start + 1;
  while (end < lines.length && lines[end].trim() !== "" && !startsBlock(lines, end)) end += 1;
  return [element("p", {}, renderInline(lines.slice(start, end).join("\n"), makeMark)), end];
}

function readList(lines, start, makeMark) {
  const [, indent, marker] = ITEM.exec(lines[start]);
  const list = emptyList(marker);
  let item = null;
  let at = start;
  while (at < lines.length) {
    const match = ITEM.exec(lines[at]);
    if (match === null) {
      if (isGapInList(lines, at)) at += 1;
      else if (CONTINUATION.test(lines[at])) {
        item.append(element("br"), renderInline(lines[at].trim(), makeMark));
        at += 1;
      } else break;
    } else if (match[1].length >= indent.length + NESTED_BY) {
      const [nested, next] = readList(lines, at, makeMark);
      item.append(nested);
      at = next;
    } else if (match[1].length < indent.length || isOrdered(match[2]) !== isOrdered(marker)) {
      break;
    } else {
      item = element("li", {}, renderInline(match[3], makeMark));
      list.append(item);
      at += 1;
    }
  }
  return [list, at];
}

function emptyList(marker) {
  return isOrdered(marker) ? element("ol", { start: Number.parseInt(marker, 10) }) : element("ul");
}

function isOrdered(marker) {
  return /^\d/.test(marker);
}

function isGapInList(lines, at) {
  return lines[at].trim() === "" && at + 1 < lines.length && ITEM.test(lines[at + 1]);
}

function startsTable(lines, at) {
  return (
    lines[at].includes("|") && at + 1 < lines.length && lines[at + 1].includes("-") && TABLE_RULE.test(lines[at + 1])
  );
}

function readTable(lines, start, makeMark) {
  const head = element("thead", {}, tableRow(lines[start], "th", makeMark));
  const body = element("tbody");
  let at = start + 2;
  while (at < lines.length && lines[at].includes("|")) {
    body.append(tableRow(lines[at], "td", makeMark));
    at += 1;
  }
  const table = element("table", {}, head, body);
  return [element("div", { class: "table", tabindex: "0" }, table), at];
}

function tableRow(line, tag, makeMark) {
  const cells = line
    .trim()
    .replace(/^\||\|$/g, "")
    .split("|");
  return element("tr", {}, ...cells.map((cell) => element(tag, {}, renderInline(cell.trim(), makeMark))));
}

function renderInline(text, makeMark, pattern = INLINE) {
  const pieces = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    pieces.append(plain(text.slice(end, match.index)), inlinePiece(match, makeMark));
    end = match.index + match[0].length;
  }
  pieces.append(plain(text.slice(end)));
  return pieces;
}

function inlinePiece(match, makeMark) {
  const { escaped, code, label, target, mark, bold, italic, italic2, url } = match.groups;
  if (escaped !== undefined) return escaped;
  if (code !== undefined) return element("code", {}, code);
  if (label !== undefined)
    return (
      link(
        target,
        renderInline(label, () => null),
      ) ?? match[0]
    );
  if (mark !== undefined) return makeMark(Number(mark)) ?? match[0];
  if (bold !== undefined) return element("strong", {}, renderInline(bold, makeMark));
  if (url !== undefined) return bareLink(url);
  return element("em", {}, renderInline(italic ?? italic2, makeMark));
}

/** A sentence's own punctuation after an address does not belong to it. */
function bareLink(url) {
  const address = url.replace(/[.,:;!?)\]*_]+$/, "");
  const piece = document.createDocumentFragment();
  piece.append(link(address, address) ?? address, url.slice(address.length));
  return piece;
}

function link(target, label) {
  if (!isSafe(target)) return null;
  return element("a", { href: target, title: target, target: "_blank", rel: "noopener noreferrer" }, label);
}

function isSafe(target) {
  try {
    return SAFE_PROTOCOLS.has(new URL(target).protocol);
  } catch {
    return false;
  }
}

function plain(text) {
  const piece = document.createDocumentFragment();
  text.split("\n").forEach((line, number) => piece.append(...(number > 0 ? [element("br")] : []), line));
  return piece;
}
