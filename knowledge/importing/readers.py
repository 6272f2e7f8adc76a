"""From a file's bytes to rows of text, whatever the format."""

from __future__ import annotations

import codecs
import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import ImportFileError
from knowledge.formulas import rearm
from knowledge.reasons import Reason

MAX_BYTES = 64 << 20
MAX_ROWS = 200_000
ZIP = b"PK\x03\x04"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True)
class Row:
    """One row of a table; `number` counts from 1 in the file."""

    number: int
    cells: list[str]

    @property
    def text(self) -> str:
        """What stands in it, in one line."""
        return " · ".join(" ".join(cell.split()) for cell in self.cells if cell)


@dataclass(frozen=True)
class BrokenLine:
    """A line that is no row, and why."""

    number: int
    text: str
    reason: Reason


def read_bytes(path: Path) -> bytes:
    """Read a whole file of bearable size."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImportFileError("too_large", name=path.name, limit=MAX_BYTES >> 20)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ImportFileError("no_file", name=str(path)) from error
    except OSError as error:
        raise ImportFileError("not_readable", name=str(path), why=str(error.strerror)) from error


def decode(content: bytes, name: str) -> str:
    """Decode text by its byte-order mark, else as UTF-8, else as GB18030 (what Excel writes in China)."""
    if content.startswith((ZIP, OLE)):
        raise ImportFileError("is_excel", name=name)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode_as(content, name, "utf-16")
    if b"\x00" in content:
        raise ImportFileError("not_text", name=name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode_as(content, name, "gb18030")


def _decode_as(content: bytes, name: str, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ImportFileError("unknown_encoding", name=name) from error
    strange = sum(not (character.isprintable() or character.isspace()) for character in text)
    if strange * 50 > len(text):
        raise ImportFileError("not_text", name=name)
    return text


def read_delimited(text: str, name: str) -> list[Row]:
    """Read CSV or TSV; the delimiter is the first of tab, semicolon and comma that the first line has."""
    first = text.split("\n", 1)[0]
    delimiter = next((mark for mark in ("\t", ";", ",", "，") if mark in first), ",")
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    start = 1
    try:
        for cells in reader:
            rows.append(Row(start, [rearm(cell.strip()) for cell in cells]))
            start = reader.line_num + 1
            check_length(rows, name)
    except csv.Error as error:
        raise ImportFileError("broken_line", name=name, row=reader.line_num, why=str(error)) from error
    return rows


def read_json_lines(text: str, name: str) -> tuple[list[Row], list[BrokenLine]]:
    """Read one JSON object a line as a table whose first row holds the names; also return the lines that failed."""
    objects: list[tuple[int, dict[str, object]]] = []
    broken: list[BrokenLine] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            broken.append(BrokenLine(number, line, Reason("not_json")))
            continue
        if isinstance(value, dict):
            objects.append((number, value))
        else:
            broken.append(BrokenLine(number, line, Reason("not_an_object")))
    names = list(dict.fromkeys(key for _, value in objects for key in value))
    rows = [Row(0, names)] if objects else []
    rows += [Row(number, [_cell(value.get(name)) for name in names]) for number, value in objects]
    check_length(rows, name)
    return rows, broken


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return "\n".join(_whole_characters(item) for item in value)
    return _whole_characters(value).strip()


def _whole_characters(value: object) -> str:
    """Return a value's text; half a surrogate pair, which JSON can spell, becomes a question mark."""
    return str(value).encode("utf-8", "replace").decode()


def check_length(rows: list[Row], name: str) -> None:
    """Raise ImportFileError if there are more rows than an FAQ has."""
    if len(rows) > MAX_ROWS:
        raise ImportFileError("too_many_rows", name=name, limit=MAX_ROWS)
