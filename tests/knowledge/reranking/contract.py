"""What every reranker is held to: subclass `RerankerContract` and override the fixture `reranker`."""

from __future__ import annotations

import math
import threading

import pytest

from knowledge.entries import Entry
from knowledge.reranking.base import Reranker

RETURNS = Entry(key="returns", question="How do I return an item?", answer="Within 30 days, by post.", language="en")
HOURS = Entry(key="hours", question="When are you open?", answer="From nine to six.", language="en")
LONG = Entry(key="long", question="怎么退货？", answer="签收后七天内可以退货。" * 60)


class RerankerContract:
    """One test for each promise of the protocol `Reranker`."""

    tolerance = 1e-3
    """How far two scores of the same may be apart."""

    @pytest.fixture
    def reranker(self) -> Reranker:
        raise NotImplementedError("give the reranker that is to be held to the contract")

    def test_it_gives_a_number_an_entry(self, reranker: Reranker) -> None:
        scores = reranker.scores("can I send it back", [RETURNS, HOURS, LONG])
        assert len(scores) == 3
        assert all(isinstance(score, float) and math.isfinite(score) for score in scores)

    def test_no_entries_have_no_scores(self, reranker: Reranker) -> None:
        assert reranker.scores("can I send it back", []) == []

    def test_an_entry_has_its_score_whatever_stands_beside_it(self, reranker: Reranker) -> None:
        [alone] = reranker.scores("can I send it back", [RETURNS])
        beside = reranker.scores("can I send it back", [LONG, RETURNS])[1]
        assert math.isclose(alone, beside, abs_tol=self.tolerance)

    def test_the_question_matters(self, reranker: Reranker) -> None:
        assert reranker.scores("can I send it back", [RETURNS]) != reranker.scores("opening hours", [RETURNS])

    def test_any_text_is_a_question(self, reranker: Reranker) -> None:
        for question in ("", "？", "退货" * 2_000, "\u200b"):
            assert len(reranker.scores(question, [RETURNS])) == 1

    def test_threads_may_ask_at_once(self, reranker: Reranker) -> None:
        expected, found = reranker.scores("opening hours", [RETURNS, HOURS]), []
        threads = [
            threading.Thread(target=lambda: found.append(reranker.scores("opening hours", [RETURNS, HOURS])))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert all(
            math.isclose(a, b, abs_tol=self.tolerance)
            for scores in found
            for a, b in zip(scores, expected, strict=True)
        )

    def test_it_has_a_name_and_counts_for_something(self, reranker: Reranker) -> None:
        assert reranker.name
        assert reranker.weight > 0

    def test_warming_up_twice_is_fine(self, reranker: Reranker) -> None:
        reranker.warm_up()
        reranker.warm_up()
