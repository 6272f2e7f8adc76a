from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evaluation.metrics import (
    area_under_risk,
    auroc,
    calibration_error,
    hit_at,
    mean_reciprocal_rank,
    overlap,
    reliability,
    risk_coverage,
    threshold_for,
)
from tests.knowledge.fakes import examples

judged = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40).map(
    lambda pairs: (np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs]))
)


def test_hits_are_counted_from_the_first_rank() -> None:
    ranks = [1, 3, 4, None]
    assert (hit_at(ranks, 1), hit_at(ranks, 3), hit_at([], 1)) == (0.25, 0.5, 0.0)


def test_the_mean_reciprocal_rank_counts_what_is_missing_as_nothing() -> None:
    assert mean_reciprocal_rank([1, 2, None, 4]) == pytest.approx((1 + 0.5 + 0.25) / 4)
    assert mean_reciprocal_rank([]) == 0.0


@examples
@given(judged)
def test_the_auroc_is_the_share_of_pairs_in_the_right_order(pair: tuple[np.ndarray, np.ndarray]) -> None:
    scores, positive = pair
    won = [1.0 if high > low else 0.5 if high == low else 0.0 for high in scores[positive] for low in scores[~positive]]
    assert auroc(scores, positive) == pytest.approx(np.mean(won) if won else 0.5)


def test_the_bins_of_a_reliability_diagram_hold_equally_many() -> None:
    bins = reliability(np.linspace(0, 1, 20), np.arange(20) >= 10, bins=4)
    assert [each.count for each in bins] == [5, 5, 5, 5]
    assert [each.right for each in bins] == [0, 0, 1, 1]
    assert bins[0].confidence < bins[-1].confidence


def test_a_question_may_stand_for_many() -> None:
    confidence, right = np.array([0.1, 0.2, 0.9]), np.array([False, True, True])
    [low, high] = reliability(confidence, right, bins=2, weights=np.array([1.0, 1.0, 2.0]))
    assert (low.count, low.right, high.count, high.right) == (2, 0.5, 2, 1)
    assert calibration_error(confidence, right, 1, np.array([0.0, 0.0, 1.0])) == pytest.approx(0.1)


def test_what_is_as_sure_as_it_is_right_has_no_error() -> None:
    confidence = np.array([0.25] * 4 + [0.75] * 4)
    right = np.array([True, False, False, False, True, True, True, False])
    assert calibration_error(confidence, right, bins=2) == pytest.approx(0)
    assert calibration_error(confidence, ~right, bins=2) == pytest.approx(0.5)
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0


def test_risk_rises_as_less_sure_questions_are_answered() -> None:
    points = risk_coverage(np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, False]))
    assert [(point.coverage, point.risk) for point in points] == [(0.25, 0), (0.75, pytest.approx(1 / 3)), (1, 0.5)]


@examples
@given(judged)
def test_the_area_under_risk_lies_between_none_and_all(pair: tuple[np.ndarray, np.ndarray]) -> None:
    confidence, right = pair
    assert 0 <= area_under_risk(confidence, right) <= 1
    assert area_under_risk(confidence, np.ones(len(right), dtype=bool)) == 0


@examples
@given(judged, st.sampled_from([0.5, 0.9, 0.97]))
def test_from_its_threshold_on_the_wanted_precision_is_reached(
    pair: tuple[np.ndarray, np.ndarray], precision: float
) -> None:
    confidence, right = pair
    threshold = threshold_for(confidence, right, np.ones(len(right)), precision)
    chosen = confidence >= threshold
    assert not chosen.any() or right[chosen].mean() >= precision
    if chosen.any():
        lower = sorted({value for value in confidence if value < threshold})
        assert not any(right[confidence >= value].mean() >= precision for value in lower)


def test_a_precision_that_is_never_reached_has_a_threshold_that_nothing_passes() -> None:
    assert threshold_for(np.array([1.0]), np.array([False]), np.ones(1), 0.9) > 1


@pytest.mark.parametrize(
    ("answer", "accepted", "f1"),
    [
        ("三天", "三天。", 1.0),
        ("退款三天", "三天", 2 / 3),
        ("不知道", "三天", 0.0),
        ("", "", 0.0),
        ("天天", "天", 2 / 3),
    ],
)
def test_answers_overlap_in_their_characters(answer: str, accepted: str, f1: float) -> None:
    assert overlap(answer, accepted) == pytest.approx(f1)
