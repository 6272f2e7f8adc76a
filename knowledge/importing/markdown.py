"""Markdown whose headings are the questions and whose text below each heading is the answer."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from knowledge.importing.readers import Row

HEADER = ["question", "variants", "answer", "tags"]
_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_CLOSING = re.compile(r"(?:^|[ \t])#+$")
_FENCE = re.compile(r"\s*(```|~~~)")
QUESTION_MARK = re.compile(r"^(?:Q|问题?)\s*+\d*+\s*+[:：.、]\s*", re.IGNORECASE)
ANSWER_MARK = re.compile(r"^\**(?:A|答案?)\s*[:：]\**\s*", re.IGNORECASE)
_VARIANTS_MARK = re.compile(r"^\**(?:相似问题?|相似问法|variants|also asked)\s*[:：]\**\s*$", re.IGNORECASE)
_ITEM = re.compile(r"^\s*[-*+]\s+(.+)$")


@dataclass
class Section:
    """A heading and the text below it, down to the next heading; `number` is its line, level 1 the shallowest."""

    number: int
    level: int
    title: str
    lines: list[str] = field(default_factory=list)

    @property
    def has_text(self) -> bool:
        """Whether anything stands below the heading."""
        return any(line.strip() for line in self.lines)


def read_markdown(text: str) -> list[Row]:
    """Return a table with one row a question.

    The questions are the headings of the level that most often has text below it; deeper headings belong to the
    answer, shallower ones are the tag of what follows.
    """
    sections = split(text)
    levels = Counter(section.level for section in sections if section.has_text)
    if not levels:
        return []
    question_level = max(levels, key=lambda level: (levels[level], level))
    rows = [Row(0, HEADER)]
    tag = ""
    current: Section | None = None
    for section in sections:
        if section.level > question_level and current is not None:
            current.lines += ["#" * section.level + " " + section.title, *section.lines]
            continue
        if current is not None:
            rows.append(to_row(current, tag))
        current = section if section.level == question_level else None
        if section.level < question_level:
            tag = "" if section.level == 1 else section.title
    if current is not None:
        rows.append(to_row(current, tag))
    return rows


def split(text: str) -> list[Section]:
    """Return the sections of a text; what stands above its first heading is in none."""
    sections: list[Section] = []
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.fullmatch(line)
        if heading:
            title = _CLOSING.sub("", heading[2].rstrip()).rstrip()
            sections.append(Section(number, len(heading[1]), title))
        elif sections:
            sections[-1].lines.append(line)
    return sections


def to_row(section: Section, tag: str) -> Row:
    """Return a section as a row below HEADER, without the marks of question, answer and variants."""
    variants, lines = _take_variants(section.lines)
    answer = ANSWER_MARK.sub("", "\n".join(lines).strip())
    return Row(section.number, [QUESTION_MARK.sub("", section.title), "\n".join(variants), answer, tag])


def _take_variants(lines: list[str]) -> tuple[list[str], list[str]]:
    for position, line in enumerate(lines):
        if not line.strip():
            continue
        if not _VARIANTS_MARK.match(line.strip()):
            break
        end = position + 1
        while end < len(lines) and not lines[end].strip():
            end += 1
        variants = []
        while end < len(lines) and (item := _ITEM.match(lines[end])):
            variants.append(item[1])
            end += 1
        return variants, lines[end:]
    return [], lines
