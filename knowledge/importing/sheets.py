"""A program of its own: reads a workbook from its input, and writes the rows of the first full sheet as JSON.

It may take no more memory and time than a workbook needs, and may fall over: a file of a few kilobytes can name a cell
in the farthest corner, for which the reader makes room, and what the reader panics at is no exception.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime

import python_calamine

MEMORY = 3 << 30
"""Address space, in bytes."""

PROCESSOR_SECONDS = 120


def confine() -> None:
    """Forbid this process to take more than its share, where the system can."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - there is none on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def first_full_sheet(content: bytes) -> list[list[str]]:
    """Return the texts of the first sheet that is not empty, each row up to its last full cell."""
    workbook = python_calamine.load_workbook(io.BytesIO(content))
    for name in workbook.sheet_names:
        sheet = workbook.get_sheet_by_name(name)
        rows = [_texts(row) for row in sheet.to_python(skip_empty_area=False)]
        while rows and not rows[-1]:
            rows.pop()
        if rows:
            return rows
    return []


def _texts(row: Sequence[object]) -> list[str]:
    texts = [_text(value) for value in row]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _text(value: object) -> str:
    """Return what a person sees in a cell."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


if __name__ == "__main__":
    confine()
    json.dump(first_full_sheet(sys.stdin.buffer.read()), sys.stdout)
