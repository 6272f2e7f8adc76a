"""One file of an FAQ, read into entries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from knowledge.entries import Entry, Status, with_language
from knowledge.errors import ImportFileError
from knowledge.importing.columns import Columns, find_columns
from knowledge.importing.documents import DOCUMENTS, read_document
from knowledge.importing.markdown import read_markdown
from knowledge.importing.readers import (
    BrokenLine,
    Row,
    decode,
    read_bytes,
    read_delimited,
    read_json_lines,
)
from knowledge.importing.report import ImportReport, RowError
from knowledge.importing.workbooks import read_workbook
from knowledge.reasons import Reason
from knowledge.text import bare, clean

MAX_QUESTION = 500
MAX_ANSWER = 20_000
MAX_KEY = 100
MAX_ROW_TEXT = 200
STATUSES: dict[str, Status] = {
    "": "published", "published": "published", "active": "published", "启用": "published", "发布": "published",
    "已发布": "published", "上线": "published", "draft": "draft", "草稿": "draft", "disabled": "disabled",
    "inactive": "disabled", "停用": "disabled", "禁用": "disabled", "下线": "disabled",
}  # fmt: skip
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T].*)?")
_SPLIT_TAGS = re.compile(r"[\n,，;；、|]+")
_SPLIT_LINES = re.compile(r"[\n\r|]+")

FORMATS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".jsonl", ".md", ".markdown", *DOCUMENTS)


class _BadCell(Exception):
    def __init__(self, field_name: str, code: str, **facts: int | str) -> None:
        self.field, self.reason = field_name, Reason(code, facts)
        super().__init__(str(self.reason))


def read_faq_file(path: Path) -> ImportReport:
    """Read the entries of a CSV, TSV, XLSX, XLS, JSONL or Markdown file, or the drafts of a DOCX, PDF or HTML file.

    Raises:
        ImportFileError: the file as a whole cannot be read, or no row of it could be an entry.
    """
    return read_faq(read_bytes(path), path.name)


def read_faq(content: bytes, name: str) -> ImportReport:
    """Read the entries of an FAQ file that is already in memory; the ending of `name` tells the format."""
    suffix = Path(name).suffix.lower()
    if suffix not in FORMATS:
        raise ImportFileError("unknown_format", name=name, suffix=suffix or "no ending", formats=", ".join(FORMATS))
    broken: list[BrokenLine] = []
    if suffix in (".xlsx", ".xls"):
        rows = read_workbook(content, name)
    elif suffix == ".jsonl":
        rows, broken = read_json_lines(decode(content, name), name)
    elif suffix in (".md", ".markdown"):
        rows = read_markdown(decode(content, name))
    elif suffix in DOCUMENTS:
        rows = read_document(content, name)
    else:
        rows = read_delimited(decode(content, name), name)
    return _to_report(name, find_columns(rows), broken)


@dataclass
class _Draft:
    """An entry while its rows are still coming in."""

    row: int
    key: str
    question: str
    answer: str
    variants: list[str]
    values: dict[str, object] = field(default_factory=dict)


def _to_report(name: str, columns: Columns, broken: list[BrokenLine]) -> ImportReport:
    errors = [RowError(name, line.number, "", line.reason, _clip(line.text)) for line in broken]
    if not columns.rows and not errors:
        raise ImportFileError("no_rows", name=name)
    if columns.rows and not {"question", "answer"} <= columns.positions.keys():
        raise ImportFileError("no_columns", name=name)
    drafts: dict[str, _Draft] = {}
    last: _Draft | None = None
    for row in columns.rows:
        try:
            last = _take(row, _reader(row, columns), drafts, last)
        except _BadCell as error:
            last = None  # or variants below this row would go to the entry above it
            column = columns.names.get(error.field, error.field)
            errors.append(RowError(name, row.number, column, error.reason, _clip(row.text)))
    entries = [with_language(_to_entry(draft)) for draft in drafts.values()]
    return ImportReport(entries, errors, columns.ignored)


def _clip(text: str) -> str:
    """Return as much of a row as is needed to know it again."""
    return text if len(text) <= MAX_ROW_TEXT else f"{text[:MAX_ROW_TEXT]}…"


def _reader(row: Row, columns: Columns) -> Callable[[str], str]:
    def cell(field_name: str) -> str:
        position = columns.positions.get(field_name)
        return row.cells[position] if position is not None and position < len(row.cells) else ""

    return cell


def _take(row: Row, cell: Callable[[str], str], drafts: dict[str, _Draft], last: _Draft | None) -> _Draft:
    """Add one row: a new entry, or one more variant of an entry that came before."""
    question, answer, key = clean(cell("question")), cell("answer").strip(), clean(cell("key"))
    variants = [line for line in map(clean, _SPLIT_LINES.split(cell("variants"))) if line]
    _check_length("question", [question])
    _check_length("variants", variants)
    if not question and not answer and variants and last is not None:
        last.variants += variants  # a merged cell: the question stands only in the first of its rows
        return last
    if not question:
        raise _BadCell("question", "no_question")
    key = key or key_of(question)
    known = drafts.get(key)
    if known is not None and (answer == known.answer or (not answer and cell("key"))):
        known.variants += [question, *variants]
        return known
    _check_answer(answer, key)
    if known is not None:
        raise _BadCell("key" if cell("key") else "question", "same_as_row", row=known.row)
    draft = _Draft(row.number, key, question, answer, variants, _optional_values(cell))
    drafts[key] = draft
    return draft


def _check_length(field_name: str, questions: list[str]) -> None:
    if any(len(question) > MAX_QUESTION for question in questions):
        raise _BadCell(field_name, "question_too_long", limit=MAX_QUESTION)


def _check_answer(answer: str, key: str) -> None:
    if not answer:
        raise _BadCell("answer", "no_answer")
    if len(answer) > MAX_ANSWER:
        raise _BadCell("answer", "answer_too_long", limit=MAX_ANSWER)
    if len(key) > MAX_KEY:
        raise _BadCell("key", "key_too_long", limit=MAX_KEY)


def _optional_values(cell: Callable[[str], str]) -> dict[str, object]:
    status = cell("status").lower()
    if status not in STATUSES:
        raise _BadCell("status", "unknown_status", text=cell("status"))
    valid_from, valid_until = _date(cell, "valid_from"), _date(cell, "valid_until")
    if valid_from and valid_until and valid_from > valid_until:
        raise _BadCell("valid_until", "ends_early")
    return {
        "status": STATUSES[status],
        "valid_from": valid_from,
        "valid_until": valid_until,
        "language": cell("language").lower(),
        "tags": tuple(dict.fromkeys(tag for tag in map(clean, _SPLIT_TAGS.split(cell("tags"))) if tag)),
        "action": cell("action") or None,
    }


def _date(cell: Callable[[str], str], name: str) -> date | None:
    text = cell(name)
    if not text:
        return None
    match = _DATE.fullmatch(text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else _no_date(text, name)
    except ValueError:
        return _no_date(text, name)


def _no_date(text: str, name: str) -> date:
    raise _BadCell(name, "no_date", text=text)


def key_of(question: str) -> str:
    """Return the key of an entry whose file gives none: the same question always gets the same key."""
    return "q-" + hashlib.sha256(bare(question).encode()).hexdigest()[:12]


def _to_entry(draft: _Draft) -> Entry:
    seen = {bare(draft.question)}
    variants = []
    for variant in draft.variants:
        if bare(variant) not in seen:
            seen.add(bare(variant))
            variants.append(variant)
    return Entry(
        key=draft.key,
        question=draft.question,
        answer=draft.answer,
        variants=tuple(variants),
        **draft.values,  # type: ignore[arg-type]
    )
