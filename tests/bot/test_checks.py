from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks import GroundingCheck, facts, split_clauses
from tests.bot.fakes import HOURS, RETURNS

EVIDENCE = [f"{RETURNS.question} {RETURNS.answer}"]


def allows(clause: str, question: str = "怎么退货？") -> bool:
    return GroundingCheck(EVIDENCE, question).allows(clause)


@pytest.mark.parametrize("clause", ["7天内可以退。", "运费12元", "可以退货。", "７天内可以退。"])
def test_what_the_evidence_says_may_be_said(clause: str) -> None:
    assert allows(clause)


@pytest.mark.parametrize(
    "clause",
    [
        "15天内可以退。",
        "运费1元",
        "运费12.5元",
        "七天内",
        "请看 https://evil.example/x",
        "写信给 a@b.example",
        "不能退货。",
        "无需运费",
        "退12%",
        "12:00以前",
    ],
)
def test_a_fact_or_a_negation_of_its_own_may_not(clause: str) -> None:
    assert not allows(clause)


def test_a_number_of_the_question_may_be_repeated() -> None:
    assert allows("订单8812可以退货。", "订单8812怎么退货？")
    assert not allows("订单8812可以退货。")


def test_a_negation_of_the_question_may_not() -> None:
    assert not allows("不能退货。", "是不是不能退货？")


def test_numbering_is_no_fact() -> None:
    assert facts("1. 打开订单\n2、点击申请 [1]") == set()


def test_a_thousands_separator_makes_no_other_number() -> None:
    assert facts("满1,000元") == facts("满1000元")


@pytest.mark.parametrize("answer", ["签收后7天内可以申请退货。", "7天内可以申请退货，运费由买家承担。"])
def test_an_answer_made_of_the_evidence_is_grounded(answer: str) -> None:
    assert GroundingCheck(EVIDENCE, "怎么退货？").is_grounded(answer)


@pytest.mark.parametrize("answer", ["", "可以。", "本店支持货到付款和分期付款服务。", "签收后15天内可以申请退货。"])
def test_an_answer_of_other_words_or_of_hardly_any_is_not(answer: str) -> None:
    assert not GroundingCheck(EVIDENCE, "怎么退货？").is_grounded(answer)


def test_english_is_checked_by_words() -> None:
    check = GroundingCheck([HOURS.answer], "When?")
    assert check.is_grounded("We are open from 9:00 to 18:00.")
    assert not check.is_grounded("We are not open from 9:00 to 18:00.")
    assert not check.is_grounded("We are open from 9:00 to 20:00.")


def test_a_clause_is_complete_once_something_follows_its_mark() -> None:
    assert split_clauses("7天内，运费") == ("7天内，", "运费")
    assert split_clauses("7天内，") == ("", "7天内，")


@pytest.mark.parametrize("text", ["满49.5元", "满1,000元", "9:30", "9：30"])
def test_a_number_is_never_cut_at_its_own_mark(text: str) -> None:
    for end in range(1, len(text) + 1):
        complete, rest = split_clauses(text[:end])
        assert (complete, rest) == ("", text[:end])


@given(st.lists(st.text(alphabet="退货7.5,，。 元a1:\n", max_size=6)))
def test_splitting_a_stream_loses_nothing(pieces: list[str]) -> None:
    said, held = "", ""
    for piece in pieces:
        complete, held = split_clauses(held + piece)
        said += complete
    assert said + held == "".join(pieces)
