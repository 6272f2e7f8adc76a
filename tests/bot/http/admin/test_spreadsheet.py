from __future__ import annotations

import csv
import io

import pytest

from bot.http.admin.spreadsheet import csv_response


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_taken_for_a_formula(text: str) -> None:
    response = csv_response("t.csv", ["question"], [[text]])
    assert read(bytes(response.body)) == [["question"], [f"'{text}"]]


def test_numbers_and_other_texts_stay_as_they_are() -> None:
    response = csv_response("t.csv", ["a", "b", "c", "d"], [[-1.5, None, "1 = 1", '怎么“退”,"货"\n？']])
    assert read(bytes(response.body))[1] == ["-1.5", "", "1 = 1", '怎么“退”,"货"\n？']
