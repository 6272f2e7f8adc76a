from __future__ import annotations

import pytest

from knowledge.evaluation.cases import TestCase, Verdict
from knowledge.evaluation.report import Judged
from knowledge.tuning.tune import is_gain


def judged(right: str, answered: str = "") -> list[Judged]:
    """Give a judgement for each sign: + is right, - is wrong; then for questions that nothing answers."""
    cases = [Judged(Verdict(TestCase("q", ("a",)), ("a" if sign == "+" else "b",), 0.6), "grounded") for sign in right]
    outcomes = ["grounded" if sign == "+" else "refused" for sign in answered]
    return cases + [Judged(Verdict(TestCase("far", ()), ("a",), 0.6), outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("before", "after", "gained"),
    [
        ("----", "++++", True),
        ("++++", "++++", False),
        ("++++", "----", False),
        ("---+", "++++", True),
        ("+-----", "-+++--", False),  # two more, of four that changed: chance
        ("----------", "+---------", False),
    ],
)
def test_a_gain_is_more_than_chance(before: str, after: str, gained: bool) -> None:
    assert is_gain({"s": judged(before)}, {"s": judged(after)}) is gained


def test_what_answers_more_than_it_should_is_no_gain() -> None:
    before, after = judged("----", "." * 200), judged("++++", "+++" + "." * 197)
    assert not is_gain({"s": before}, {"s": after})
    assert is_gain({"s": before}, {"s": judged("++++", "++" + "." * 198)})


def test_all_suites_count_together() -> None:
    before = {"a": judged("----"), "b": judged("++++")}
    assert not is_gain(before, {"a": judged("++++"), "b": judged("----")})
    assert is_gain(before, {"a": judged("++++"), "b": judged("++++")})
