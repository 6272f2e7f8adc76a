"""Entries as files that the import reads back unchanged."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from knowledge.entries import Entry
from knowledge.formulas import disarm

COLUMNS = (
    "key",
    "question",
    "variants",
    "answer",
    "tags",
    "language",
    "status",
    "valid_from",
    "valid_until",
    "action",
)


def to_csv(entries: Iterable[Entry]) -> str:
    """Return a table with the mark by which Excel knows UTF-8; nothing in it is taken for a formula."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    for entry in entries:
        values = {**entry.to_dict(), "variants": "\n".join(entry.variants), "tags": ",".join(entry.tags)}
        writer.writerow({name: disarm(value) if isinstance(value, str) else value for name, value in values.items()})
    return "\ufeff" + buffer.getvalue()


def to_json_lines(entries: Iterable[Entry]) -> str:
    """Return one JSON object a line."""
    return "".join(json.dumps(entry.to_dict(), ensure_ascii=False) + "\n" for entry in entries)
