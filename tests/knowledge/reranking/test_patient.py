from __future__ import annotations

import math

import pytest

from knowledge.reranking.base import Reranker
from knowledge.reranking.patient import PatientReranking
from tests.knowledge.reranking.contract import HOURS, RETURNS, RerankerContract
from tests.knowledge.reranking.fakes import (
    BrokenReranker,
    OverlapReranker,
    PreferringReranker,
    StuckReranker,
    failing,
)


class TestOverlapReranker(RerankerContract):
    @pytest.fixture
    def reranker(self) -> Reranker:
        return OverlapReranker()


def test_entries_gain_by_their_scores_and_on_average_nothing() -> None:
    reranker = PreferringReranker("hours", by=4.0)
    reranker.weight = 0.5
    bonus = PatientReranking(reranker).bonus("opening hours", [RETURNS, HOURS])
    assert bonus is not None
    assert bonus.tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (failing, "it has fallen over"),
        (lambda: [1.0], "a number an entry"),
        (lambda: [1.0, math.nan], "a number an entry"),
        (list, "a number an entry"),
    ],
)
def test_a_reranker_that_fails_is_said_and_changes_nothing(answer: object, said: str) -> None:
    warnings: list[str] = []
    reranking = PatientReranking(BrokenReranker(answer), warn=warnings.append)  # type: ignore[arg-type]
    assert reranking.bonus("opening hours", [RETURNS, HOURS]) is None
    assert len(warnings) == 1
    assert said in warnings[0]


def test_a_slow_reranker_is_not_waited_for() -> None:
    warnings: list[str] = []
    stuck = StuckReranker()
    reranking = PatientReranking(stuck, warn=warnings.append, patience=0.01)
    try:
        assert reranking.bonus("opening hours", [RETURNS, HOURS]) is None
        assert reranking.bonus("still stuck", [RETURNS, HOURS]) is None
    finally:
        stuck.go.set()
    assert warnings == ["shared characters took more than 0.01 s"] * 2
    while not stuck.asked:
        pass
    assert [question for question, _ in stuck.asked] == ["opening hours"]
