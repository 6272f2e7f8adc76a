"""Which lines of a document without headings are headings all the same."""

from __future__ import annotations

import re

from knowledge.importing.markdown import QUESTION_MARK

QUESTION_LEVEL = 10
MAX_HEADING = 60
_CHAPTER = re.compile(r"第\s*[一二三四五六七八九十百\d]{1,4}\s*[章节篇部分条]")
_COUNTED = re.compile(r"[一二三四五六七八九十]{1,3}\s*[、.．]\s*")
_BRACKETED = re.compile(r"[（(][一二三四五六七八九十\d]{1,3}[)）]\s*")
_DECIMAL = re.compile(r"(\d{1,2}(?:[.．]\d{1,2}){1,3})[.．]?\s+(?=\S)")
_NUMBERED = re.compile(r"\d{1,3}\s*[.、．)）](?!\d)\s*")
_SENTENCE_END = re.compile(r"[。；;，,：:.!！]$")


def as_marked_question(line: str) -> str:
    """Return the question of a line such as `Q: …` or `问：…`, or nothing."""
    return QUESTION_MARK.sub("", line).strip() if QUESTION_MARK.match(line) else ""


def as_heading(line: str) -> tuple[int, str] | None:
    """Return the level and the words of a line that reads like a heading: numbered, marked, or a short question."""
    if question := as_marked_question(line):
        return QUESTION_LEVEL, question
    level = 0
    if len(line) > MAX_HEADING:
        pass
    elif line.endswith(("?", "？")):
        level = QUESTION_LEVEL
    elif _SENTENCE_END.search(line):
        pass
    elif _CHAPTER.match(line):
        level = 1
    elif _COUNTED.match(line):
        level = 2
    elif match := _DECIMAL.match(line):
        level = 1 + len(re.findall("[.．]", match[1]))
    elif _BRACKETED.match(line) and len(line) <= MAX_HEADING // 2:
        level = 3
    return (level, unnumbered(line)) if level else None


def unnumbered(heading: str) -> str:
    """Return a heading without the number typed before it; a chapter keeps its own."""
    for pattern in (_DECIMAL, _NUMBERED, _COUNTED, _BRACKETED):
        if (match := pattern.match(heading)) and match.end() < len(heading):
            return heading[match.end() :]
    return heading
