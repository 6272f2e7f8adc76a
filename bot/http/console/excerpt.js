/** The beginning of a text that is written in Markdown, without the marks. */

const LINK = /\[([^[\]\n]+)\]\([^()\s]+\)/g;
const RULE = /^\s*\|?(\s*:?-+:?\s*\|)+\s*:?-*:?\s*$/gm;
const MARKS = /\*\*|`|^\s*#+\s+|^\s*[-*+]\s+|^\s*\|\s*|\s*\|\s*$/gm;

/** Return it in one line of at most `length` characters. */
export function excerpt(text, length) {
  const plain = text.replace(LINK, "$1").replace(RULE, "").replace(MARKS, "").replace(/\s+/g, " ").trim();
  return plain.length > length ? `${plain.slice(0, length)}…` : plain;
}
