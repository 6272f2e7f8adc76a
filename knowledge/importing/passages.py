"""From the sections of a document to rows, one a draft entry: short sections as they are, long ones in passages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from knowledge.importing.headings import QUESTION_LEVEL
from knowledge.importing.markdown import HEADER, Section, to_row
from knowledge.importing.readers import Row

MAX_SECTION = 1_500
SHORTEST, LONGEST = 300, 600
MAX_OPENING = 60
MIN_UNTITLED = 20
_SENTENCE = re.compile(r".+?(?:[。！？；…]+[”’」』）)]*|(?<![.!?])[.!?]++[\"'”’)\]]*+(?=\s)|$)\s*")
_PARAGRAPHS = re.compile(r"\n(?:[ \t]*\n)+")
_GAPS = re.compile(r"\n{3,}")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_MARKUP = re.compile(r"^\s*(?:#+|[-*+>]|\d{1,3}[.)])\s+|[*`|]+")


def to_rows(sections: list[Section]) -> list[Row]:
    """Return a table with one row an entry, all of them drafts.

    The entries are the headings of the level that most often has text below it and shallower ones with text of their
    own; deeper headings belong to the answer above them, unless they ask something.
    """
    rows = [Row(0, [*HEADER, "status"])]
    if len(sections) > 1 and not sections[0].title and sum(map(len, sections[0].lines)) < MIN_UNTITLED:
        sections = sections[1:]  # the document's name, or what is left of a menu
    seen: Counter[str] = Counter()
    for section, tag in _entries(sections):
        for title, text in _parts(section):
            row = to_row(Section(section.number, section.level, _distinct(title, tag, seen), text.split("\n")), tag)
            rows.append(Row(len(rows), [*row.cells, "draft"]))
    return rows


def _entries(sections: list[Section]) -> Iterator[tuple[Section, str]]:
    """Give every section that is an entry, with deeper ones joined to it, and the heading it stands under."""
    levels = Counter(section.level for section in sections if section.title and section.has_text)
    entry_level = max(levels, key=lambda level: (levels[level], level), default=0)
    numbers = Counter(section.level for section in sections)
    above: dict[int, str] = {}
    current: tuple[Section, str] | None = None
    for position, section in enumerate(sections):
        is_question = section.level == QUESTION_LEVEL or section.title.endswith(("?", "？"))
        is_part = section.level > entry_level and not is_question
        if is_part and current is not None and current[0].level >= entry_level:
            current[0].lines += ["", "#" * min(section.level, 6) + " " + section.title, "", *section.lines]
            continue
        if current is not None:
            yield current
        above = {level: title for level, title in above.items() if level < section.level}
        tag = above[max(above)] if above else ""
        # An empty heading of the entries' own level is for the report; a shallower one only names what follows.
        current = (section, tag) if section.has_text or section.level >= entry_level else None
        is_title_of_all = position == 0 and numbers[section.level] == 1
        if section.title and not is_title_of_all and not is_question:
            above[section.level] = section.title
    if current is not None:
        yield current


def _parts(section: Section) -> Iterator[tuple[str, str]]:
    text = _GAPS.sub("\n\n", "\n".join(section.lines)).strip()
    if section.title and len(text) <= MAX_SECTION:
        yield section.title, text
        return
    for number, passage in enumerate(cut(text)):
        if section.title and number == 0:
            yield section.title, passage
        else:
            yield " – ".join(filter(None, (section.title, opening(passage)))), passage


def _distinct(title: str, tag: str, seen: Counter[str]) -> str:
    """Return a title that no entry before it has: with the heading above it, or else numbered."""
    name = f"{tag} – {title}" if tag and title in seen else title
    while name in seen:
        seen[title] += 1
        name = f"{title} ({seen[title]})"
    seen[name] += 1
    return name


def cut(text: str) -> Iterator[str]:
    """Cut a long text into passages of a few hundred characters, between paragraphs or else between sentences."""
    passage = table_head = ""
    for separator, unit in _units(text):
        is_rule = unit.startswith("|-")
        if is_rule:
            table_head += f"\n{unit}"
        elif unit.startswith("|") and separator != "\n":
            table_head = unit
        full = len(passage) >= SHORTEST and separator == "\n\n"
        if passage and not is_rule and (full or len(passage) + len(unit) > LONGEST):
            yield passage.strip()
            passage = table_head if unit.startswith("|") and separator == "\n" else ""
        passage += (separator if passage else "") + unit
    if passage.strip():
        yield passage.strip()


def _units(text: str) -> Iterator[tuple[str, str]]:
    """Give the sentences, and the rows of tables, each with what stands between it and the one before."""
    for paragraph in _PARAGRAPHS.split(text.strip()):
        separator = "\n\n"
        for line in paragraph.split("\n"):
            for sentence in [line] if line.startswith("|") else _SENTENCE.findall(line):
                for start in range(0, len(sentence), SHORTEST):
                    yield separator, sentence[start : start + SHORTEST]
                    separator = ""
            separator = "\n"


def opening(passage: str) -> str:
    """Return the first sentence without its Markdown, cut to the length of a title."""
    for line in passage[:LONGEST].split("\n"):
        text = " ".join(_MARKUP.sub(" ", _LINK.sub(r"\1", line)).split())
        if any(character.isalnum() for character in text):
            sentence = str(_SENTENCE.findall(text)[0]).strip().rstrip("。.；;")
            return sentence if len(sentence) <= MAX_OPENING else sentence[: MAX_OPENING - 1] + "…"
    return passage[:MAX_OPENING]
