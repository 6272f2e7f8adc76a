from __future__ import annotations

import pytest

from knowledge.importing.columns import FIELDS, find_columns
from knowledge.importing.readers import Row


def table(*rows: list[str]) -> list[Row]:
    return [Row(number, cells) for number, cells in enumerate(rows, start=1)]


def test_every_heading_names_one_field() -> None:
    headings = [name for names in FIELDS.values() for name in names]
    assert sorted(headings) == sorted(set(headings))


@pytest.mark.parametrize("field", FIELDS)
def test_every_heading_is_found(field: str) -> None:
    for name in FIELDS[field]:
        other = "answer" if field == "question" else "question"
        assert field in find_columns(table([name, other], ["x", "y"])).positions


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Valid_From", "valid_from"),
        ("Valid until", "valid_until"),
        ("SIMILAR-QUESTIONS", "variants"),
        ("*相似问法：", "variants"),
        ("（编号）", "key"),
    ],
)
def test_case_and_punctuation_of_a_heading_do_not_matter(heading: str, field: str) -> None:
    columns = find_columns(table(["问题", "答案", heading], ["q", "a", "x"]))
    assert (columns.positions[field], columns.names[field]) == (2, heading)


def test_the_header_is_not_one_of_the_rows() -> None:
    assert [row.number for row in find_columns(table(["问题", "答案"], ["q", "a"])).rows] == [2]


def test_empty_rows_are_passed_over_and_the_others_keep_their_numbers() -> None:
    columns = find_columns(table(["", ""], ["问题", "答案"], ["", ""], ["q", "a"]))
    assert [row.number for row in columns.rows] == [4]


def test_the_first_of_two_columns_with_one_meaning_counts() -> None:
    assert find_columns(table(["问题", "答案", "回复"], ["q", "a", "b"])).positions["answer"] == 1


def test_a_first_row_of_content_is_not_taken_for_a_header() -> None:
    assert len(find_columns(table(["怎么退货？", "七天"], ["怎么付款？", "微信"])).rows) == 2


def test_numbers_in_the_first_of_three_columns_are_keys() -> None:
    assert find_columns(table(["1", "q1", "a1"], ["2", "q2", "a2"])).positions == {"key": 0, "question": 1, "answer": 2}


def test_a_first_column_that_repeats_is_no_key() -> None:
    assert "key" not in find_columns(table(["a", "x", "1"], ["a", "y", "2"])).positions


def test_one_column_holds_questions_only() -> None:
    assert find_columns(table(["怎么退货？"])).positions == {"question": 0}


def test_no_rows_have_no_columns() -> None:
    assert find_columns([]).positions == {}
