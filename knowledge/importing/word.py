"""Word documents (.docx)."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from knowledge.errors import ImportFileError
from knowledge.importing.columns import find_columns
from knowledge.importing.headings import QUESTION_LEVEL, as_heading, as_marked_question, unnumbered
from knowledge.importing.markdown import Section
from knowledge.importing.readers import Row

if TYPE_CHECKING:
    from docx.document import Document

MAX_UNPACKED = 256 << 20
MAX_XML = 16 << 20
MAX_BLOCKS = 50_000
MAX_TEXT = 5_000_000
_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])", re.IGNORECASE)
_LIST = re.compile(r"list|列表|列出", re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_PRINTED = {f"{_WORD}tab": " ", f"{_WORD}br": "\n"}
_SKIPPED = re.compile(r"title$|标题$|subtitle|副标题|toc|目录", re.IGNORECASE)


def read_sections(content: bytes, name: str) -> list[Section]:
    """Return the sections of a Word document; where it has no headings, lines that read like questions are some."""
    import docx  # noqa: PLC0415 - an optional extra

    _check_package(content, name)
    document = docx.Document(io.BytesIO(content))
    body = document.element.body
    for copy in list(body.iter(f"{_COMPATIBILITY}Fallback")):  # the words of a text box, once more
        copy.getparent().remove(copy)
    styles = _styles(document)
    blocks = body.xpath(
        "./w:p | ./w:tbl | ./w:sdt/w:sdtContent/w:p | ./w:sdt/w:sdtContent/w:tbl"  # a template keeps its text in sdt
    )
    if len(blocks) > MAX_BLOCKS:
        raise ImportFileError("too_many_paragraphs", name=name, limit=MAX_BLOCKS)
    has_headings = any(_heading_level(block, styles) for block in blocks)
    sections = [Section(1, 0, "")]
    size = 0
    for block in blocks:
        for line in _lines(block, document, styles, has_headings=has_headings):
            if isinstance(line, Section):
                line.number = len(sections) + 1
                sections.append(line)
            else:
                sections[-1].lines.append(line)
            size += len(line.title if isinstance(line, Section) else line)
        if size > MAX_TEXT:
            raise ImportFileError("too_much_text", name=name, limit=MAX_TEXT)
    return [section for section in sections if section.title or section.has_text]


def _check_package(content: bytes, name: str) -> None:
    if content.startswith(_OLE):
        raise ImportFileError("old_word", name=name)
    if not content.startswith(_ZIP):
        raise ImportFileError("not_word", name=name)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError) as error:
        raise ImportFileError("damaged", name=name) from error
    xml = sum(member.file_size for member in members if member.filename.lower().endswith((".xml", ".rels")))
    if xml > MAX_XML or sum(member.file_size for member in members) > MAX_UNPACKED:
        raise ImportFileError("unpacks_to_too_much", name=name)


def _styles(document: Document) -> dict[str, tuple[str, int]]:
    """Return the name and the heading level, else 0, of every style by its id; a style inherits its level."""
    found = {}
    elements = {element.get(f"{_WORD}styleId"): element for element in document.styles.element.iter(f"{_WORD}style")}
    for style_id, element in elements.items():
        level, ancestor = 0, element
        for _ in range(10):  # a style may, in a hostile file, be its own ancestor
            match = _HEADING.match(_value(ancestor, "name"))
            outline = _value(ancestor, "outlineLvl")
            level = int(match[1]) if match else int(outline) + 1 if outline.isdigit() and int(outline) < 9 else 0
            ancestor = elements.get(_value(ancestor, "basedOn"))
            if level or ancestor is None:
                break
        found[style_id] = (_value(element, "name"), level)
    return found


def _value(element: Any, tag: str) -> str:
    child = next(element.iter(_WORD + tag), None)
    return (child.get(f"{_WORD}val") or "") if child is not None else ""


def _heading_level(block: Any, styles: dict[str, tuple[str, int]]) -> int:
    if block.tag != f"{_WORD}p":
        return 0
    name, level = styles.get(_value(block, "pStyle"), ("", 0))
    outline = _value(block, "outlineLvl")
    if outline.isdigit() and int(outline) < 9:
        return int(outline) + 1
    return 0 if _SKIPPED.match(name) else level


def _lines(
    block: Any, document: Document, styles: dict[str, tuple[str, int]], *, has_headings: bool
) -> Iterator[str | Section]:
    """Give what a paragraph or table adds: lines of the section it stands in, or new sections."""
    if block.tag == f"{_WORD}tbl":
        yield from _table(block, document)
        return
    text = _text(block, document)
    style, _ = styles.get(_value(block, "pStyle"), ("", 0))
    level = _heading_level(block, styles)
    if not text or _SKIPPED.match(style):
        return
    line = " ".join(text.split())
    heading = as_heading(line) if not has_headings else None
    question = as_marked_question(line)
    is_bold_line = not has_headings and len(line) <= 80 and _is_bold(block)
    if level:
        yield Section(0, level, unnumbered(line))
    elif heading:
        yield Section(0, *heading)
    elif question:
        yield Section(0, QUESTION_LEVEL, question)
    elif is_bold_line:
        yield Section(0, QUESTION_LEVEL - 1, line)
    elif _LIST.match(style) or next(block.iter(f"{_WORD}numPr"), None) is not None:
        yield f"- {text}"
    else:
        yield from ("", text, "")


def _is_bold(paragraph: Any) -> bool:
    runs = [run for run in paragraph.iter(f"{_WORD}r") if "".join(part.text or "" for part in run.iter(f"{_WORD}t"))]
    return bool(runs) and all(
        any(bold.get(f"{_WORD}val") not in ("0", "false") for bold in run.iter(f"{_WORD}b")) for run in runs
    )


def _text(element: Any, document: Document) -> str:
    """Return the words as they now stand: insertions are in, deletions are out, links keep their address."""
    for link in element.iter(f"{_WORD}hyperlink"):
        relation = document.part.rels.get(link.get(_RELATION))
        words = list(link.iter(f"{_WORD}t"))
        if words and relation is not None and relation.is_external and _WEB.match(relation.target_ref):
            words[0].text = f"[{words[0].text or ''}"
            words[-1].text = f"{words[-1].text or ''}]({relation.target_ref})"
    parts = element.iter(f"{_WORD}t", f"{_WORD}tab", f"{_WORD}br")
    return "".join(_PRINTED.get(part.tag) or part.text or "" for part in parts).strip()


def _table(table: Any, document: Document) -> Iterator[str | Section]:
    """Give a table of questions and answers as sections, and any other as a Markdown table."""
    rows = [
        Row(number, [_text(cell, document) for cell in row.findall(f"{_WORD}tc")])
        for number, row in enumerate(table.findall(f"{_WORD}tr"), start=1)
    ]
    rows = [row for row in rows if any(row.cells)]
    columns = find_columns(rows)
    if {"question", "answer"} <= columns.positions.keys() and len(columns.rows) < len(rows):  # it has a header
        question, answer = columns.positions["question"], columns.positions["answer"]
        for row in columns.rows:
            cells = [*row.cells, "", ""]
            yield Section(0, QUESTION_LEVEL, " ".join(cells[question].split()), [cells[answer]])
        return
    yield ""
    for number, row in enumerate(rows):
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in row.cells)} |"
        if number == 0:
            yield "|" + "---|" * len(row.cells)
    yield ""
