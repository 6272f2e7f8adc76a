"""Searching with a reranker: where it is asked, and what becomes of order and confidence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge.confidence import Calibration
from knowledge.entries import Entry
from knowledge.index.snapshot import Located, Snapshot, open_snapshot
from knowledge.reranking.base import Reranker
from knowledge.reranking.patient import PatientReranking
from knowledge.search import Evidence, Query, Searcher
from tests.knowledge.fakes import HashEmbedder
from tests.knowledge.reranking.fakes import BrokenReranker, OverlapReranker, PreferringReranker, failing

TODAY = date(2026, 5, 1)
QUESTION = "退货运费 谁出"


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    entries = [
        Located("shop", Entry(key=f"e{number:02}", question=f"退货问题 {number} 号", answer=f"答案 {number}。"))
        for number in range(12)
    ]
    return open_snapshot(tmp_path, entries, HashEmbedder())


def search(
    snapshot: Snapshot, reranker: Reranker | None = None, *, bias: float = 0.0, query: Query | None = None
) -> Evidence:
    """Search with a confidence that follows from the shares of the scores, and from a bias."""
    calibration = Calibration((0.0, 0.0, 0.0, 1.0, 0.0), bias)
    reranking = PatientReranking(reranker) if reranker else None
    return Searcher(snapshot, HashEmbedder(), calibration, reranking=reranking).search(
        query or Query(QUESTION), today=TODAY, count=12
    )


def keys(evidence: Evidence) -> list[str]:
    return [candidate.entry.key for candidate in evidence.candidates]


def test_what_the_reranker_likes_comes_first(snapshot: Snapshot) -> None:
    before = keys(search(snapshot))
    after = keys(search(snapshot, PreferringReranker(before[4])))
    assert after[0] == before[4]
    assert after[1:5] == before[:4]


def test_it_reads_the_best_entries_only_and_the_others_stay_behind(snapshot: Snapshot) -> None:
    before, reranker = keys(search(snapshot)), PreferringReranker("e99")
    after = keys(search(snapshot, reranker))
    assert [asked for _, asked in reranker.asked] == [before[: reranker.count]]
    assert after == before


def test_a_small_preference_does_not_outweigh_the_search(snapshot: Snapshot) -> None:
    before = search(snapshot)
    gap = before.candidates[0].fused_score - before.candidates[1].fused_score
    reranker = PreferringReranker(keys(before)[-1], by=gap / 2)
    assert keys(search(snapshot, reranker))[0] == keys(before)[0]


def test_agreement_makes_surer_and_disagreement_less_sure(snapshot: Snapshot) -> None:
    before = search(snapshot)
    first, second = keys(before)[:2]
    assert search(snapshot, PreferringReranker(first, by=2.0)).confidence > before.confidence
    gap = before.candidates[0].fused_score - before.candidates[1].fused_score
    assert search(snapshot, PreferringReranker(second, by=gap)).confidence < before.confidence


@pytest.mark.parametrize("bias", [-10.0, 10.0])
def test_where_searching_is_sure_it_is_not_asked(snapshot: Snapshot, bias: float) -> None:
    reranker = OverlapReranker()
    search(snapshot, reranker, bias=bias)
    assert reranker.asked == []


def test_a_question_in_the_words_of_an_entry_is_not_read_again(snapshot: Snapshot) -> None:
    reranker = OverlapReranker()
    assert search(snapshot, reranker, query=Query("退货问题 3 号")).confidence == 1.0
    assert reranker.asked == []


def test_a_follow_up_is_read_with_what_it_leans_on(snapshot: Snapshot) -> None:
    reranker = OverlapReranker()
    search(snapshot, reranker, query=Query("谁出", "退货运费"))
    assert [question for question, _ in reranker.asked] == ["退货运费 谁出"]


def test_a_reranker_that_fails_changes_nothing(snapshot: Snapshot) -> None:
    before, after = search(snapshot), search(snapshot, BrokenReranker(failing))
    assert (keys(after), after.confidence) == (keys(before), before.confidence)
