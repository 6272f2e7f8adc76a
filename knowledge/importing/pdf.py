"""PDF files that hold text."""

from __future__ import annotations

import io
import logging
import math
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.errors import ImportFileError
from knowledge.importing.headings import MAX_HEADING, as_heading, unnumbered
from knowledge.importing.markdown import Section

MAX_PAGES = 2_000
MAX_TEXT = 5_000_000
MAX_SECONDS = 60.0
MAX_PARAGRAPH = 2_000
_PAGE_NUMBER = re.compile(
    r"\W*+(?:第|page)?+\s*+\d{1,4}+\s*+页?+(?:\s*+(?:[/,，]|of|共)\s*+共?+\s*+\d{1,4}+\s*+页?+)?\W*+", re.IGNORECASE
)
_CONTENTS = re.compile(r".{1,80}?(?:\.{4}|…{2}|·{4}|(?:\. ){4})[.…· ]*+\d{1,4}")
_BULLET = re.compile(r"[•●▪■◆○·‣\uf0b7]\s*|[-–*]\s+")
_STARTS = re.compile(r"\d{1,2}[.)、）]\s*\S|[①-⑳]|[（(]\d{1,2}[)）]|[QA]\s*[:：]|[问答][:：]", re.IGNORECASE)
_END = re.compile(r"[。！？.!?:：；;][”’」』\"')）]*$")
_SENTENCE_END = re.compile(r"[。.；;，,]$")
_FOLDED = re.compile(r"[\u2f00-\u2fd5\ufb00-\ufb06]+")


@dataclass(frozen=True)
class _Line:
    text: str
    size: float

    @property
    def width(self) -> int:
        return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in self.text)


class _TooSlow(Exception):
    pass


def read_sections(content: bytes, name: str) -> list[Section]:
    """Return the sections of a PDF; lines in larger type, and those that read like questions, are its headings."""
    lines = _without_furniture(_pages(content, name))
    if not any(any(character.isalnum() for character in line.text) for line in lines):
        raise ImportFileError("pictures_only", name=name)
    levels = _levels(lines)
    sections = [Section(1, 0, "")]
    for paragraph in _paragraphs(lines):
        in_large_type = (levels.get(paragraph.size, 0), unnumbered(paragraph.text))
        heading = in_large_type if in_large_type[0] else as_heading(paragraph.text)
        if heading and len(paragraph.text) <= 2 * MAX_HEADING:
            sections.append(Section(len(sections) + 1, *heading))
        else:
            sections[-1].lines += [paragraph.text] if paragraph.text.startswith("- ") else ["", paragraph.text, ""]
    return [section for section in sections if section.title or section.has_text]


def _pages(content: bytes, name: str) -> list[list[_Line]]:
    import pypdf  # noqa: PLC0415 - an optional extra
    from pypdf.errors import DependencyError, FileNotDecryptedError, WrongPasswordError  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every oddity of every file
    deadline = time.monotonic() + MAX_SECONDS
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if len(reader.pages) > MAX_PAGES:
            raise ImportFileError("too_many_pages", name=name, limit=MAX_PAGES)
        pages: list[list[_Line]] = []
        size = 0
        for page in reader.pages:
            pages.append(_lines_of(page, deadline))
            size += sum(len(line.text) for line in pages[-1])
            if size > MAX_TEXT:
                raise ImportFileError("too_much_text", name=name, limit=MAX_TEXT)
    except (FileNotDecryptedError, WrongPasswordError, DependencyError) as error:
        raise ImportFileError("encrypted", name=name) from error
    except _TooSlow as error:
        raise ImportFileError("too_slow", name=name) from error
    return pages


def _lines_of(page: Any, deadline: float) -> list[_Line]:
    """Return the lines of a page, each with the size of most of its type."""
    lines: list[_Line] = []
    text, sizes = "", Counter[float]()

    def watch(*_: object) -> None:
        if time.monotonic() > deadline:
            raise _TooSlow

    def end_line() -> None:
        nonlocal text
        whole = _FOLDED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), " ".join(text.split()))
        lines.append(_Line(whole, max(sizes, key=lambda size: sizes[size], default=0.0)))
        text = ""
        sizes.clear()

    def collect(piece: str, transform: list[float], matrix: list[float], _font: object, size: float) -> None:
        nonlocal text
        scale = math.hypot(matrix[2], matrix[3]) * math.hypot(transform[2], transform[3])
        for number, part in enumerate(piece.split("\n")):
            if number:
                end_line()
            text += part
            sizes[round(size * scale * 2) / 2] += len(part.strip())

    watch()
    page.extract_text(visitor_operand_before=watch, visitor_text=collect)
    end_line()
    return lines


def _without_furniture(pages: list[list[_Line]]) -> list[_Line]:
    """Return all lines but running headers and footers, page numbers and tables of contents."""
    pages = [[line for line in page if line.text] for page in pages]
    edges = [{_numberless(line) for line in [*page[:2], *page[-2:]]} for page in pages]
    repeated = Counter(text for edge in edges for text in edge)
    running = {text for text, count in repeated.items() if count >= 3 and count > len(pages) / 2}
    return [
        line
        for page in pages
        for position, line in enumerate(page)
        if not _CONTENTS.fullmatch(line.text)
        and not (
            min(position, len(page) - 1 - position) < 2
            and (_numberless(line) in running or (len(pages) > 1 and _PAGE_NUMBER.fullmatch(line.text)))
        )
    ]


def _numberless(line: _Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def _levels(lines: list[_Line]) -> dict[float, int]:
    """Return the heading level of each size of type that is clearly larger than most of the text."""
    amounts = Counter[float]()
    for line in lines:
        amounts[line.size] += len(line.text)
    body = amounts.most_common(1)[0][0]
    larger = sorted((size for size in amounts if size >= body * 1.15), reverse=True)
    return {size: min(level, 5) for level, size in enumerate(larger, start=1)}


def _paragraphs(lines: list[_Line]) -> Iterator[_Line]:
    """Join the lines that a page's width broke."""
    widths = sorted(line.width for line in lines)
    usual = widths[len(widths) * 9 // 10]
    paragraph: _Line | None = None
    last_width = 0
    for line in lines:
        bullet = _BULLET.match(line.text)
        if paragraph is not None and not bullet and _goes_on(paragraph, last_width, line, usual):
            paragraph = _Line(_join(paragraph.text, line.text), paragraph.size)
        else:
            if paragraph is not None:
                yield paragraph
            paragraph = _Line(f"- {line.text[bullet.end() :]}", line.size) if bullet else line
        last_width = line.width
    if paragraph is not None:
        yield paragraph


def _goes_on(paragraph: _Line, last_width: int, line: _Line, usual: int) -> bool:
    if (
        len(paragraph.text) > MAX_PARAGRAPH
        or line.size != paragraph.size
        or _STARTS.match(line.text)
        or as_heading(line.text)
    ):
        return False
    filled = last_width > usual * 0.9 and usual >= 40
    if as_heading(paragraph.text) and (paragraph.text.endswith(("?", "？")) or not filled):
        return False
    return last_width > usual * (0.9 if _END.search(paragraph.text[-4:]) else 0.75)


def _join(start: str, rest: str) -> str:
    if re.search(r"[a-z]-$", start[-2:]) and rest[:1].islower():
        return start[:-1] + rest
    wide = unicodedata.east_asian_width(start[-1]) in "WF" or unicodedata.east_asian_width(rest[0]) in "WF"
    return start + rest if wide else f"{start} {rest}"
