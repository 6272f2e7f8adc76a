from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from knowledge.entries import Entry
from knowledge.exporting import to_csv, to_json_lines
from knowledge.importing.files import read_faq

ENTRIES = [
    Entry(
        key="A-1",
        question='带"引号"，和逗号',
        answer='第一行\n第二行, "quoted" 😀',
        variants=("一", "二；三"),
        language="zh",
        tags=("甲", "乙"),
        status="draft",
        valid_from=date(2026, 1, 31),
        valid_until=date(2026, 12, 31),
        action="order_status",
    ),
    Entry(key="B-1", question="=1+1", answer="- a list\n- in Markdown", variants=("+ one", "'-two"), language="en"),
    Entry(key="@C", question="'quoted'", answer="'=1", tags=("-", "=x"), language="en"),
]


@pytest.mark.parametrize(("export", "name"), [(to_csv, "faq.csv"), (to_json_lines, "faq.jsonl")])
def test_what_is_written_is_read_back_unchanged(export, name: str) -> None:  # type: ignore[no-untyped-def]
    report = read_faq(export(ENTRIES).encode(), name)
    assert (report.entries, report.errors) == (ENTRIES, [])


def test_no_cell_of_a_table_is_taken_for_a_formula() -> None:
    rows = csv.reader(io.StringIO(to_csv(ENTRIES).removeprefix("\ufeff"), newline=""))
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))] == []


def test_excel_is_told_that_it_is_utf8() -> None:
    assert to_csv([]).startswith("\ufeffkey,")
