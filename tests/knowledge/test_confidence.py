from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from knowledge.confidence import CALIBRATIONS, Calibration, Features, Numbers, calibration_for, fit
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.evaluation.metrics import calibration_error
from knowledge.weights.catalogue import SMALL_EMBEDDING
from tests.knowledge.fakes import examples

NAMES = [item.name for item in fields(Features)]
features = st.builds(Features, **{name: st.floats(-1e6, 1e6) for name in NAMES})


@pytest.mark.parametrize("calibration", CALIBRATIONS.values(), ids=CALIBRATIONS.keys())
@examples
@given(features)
def test_confidence_is_a_probability(calibration: Calibration, features: Features) -> None:
    assert 0 <= calibration.probability(features) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_score_never_lowers_confidence(name: str) -> None:
    calibration = Calibration(weights=(1.0,) * len(NAMES), bias=0.0)
    levels = [
        calibration.probability(Features(**{**dict.fromkeys(NAMES, 0.5), name: level})) for level in (0.0, 0.3, 0.9)
    ]
    assert levels == sorted(set(levels))


def test_the_default_embedder_and_none_at_all_have_calibrations_of_their_own() -> None:
    assert calibration_for(SMALL_EMBEDDING) != calibration_for(AbsentEmbedder.name)


def test_an_embedder_that_was_never_measured_gets_the_default_calibration() -> None:
    assert calibration_for("somebody's own model") == calibration_for(SMALL_EMBEDDING)


# Fitting


def logistic_questions(count: int, slope: float) -> tuple[Numbers, NDArray[np.bool_]]:
    random = np.random.default_rng(5)
    found = random.uniform(0, 1, (count, len(NAMES)))
    right = random.uniform(0, 1, count) < 1 / (1 + np.exp(-slope * (found[:, 0] - 0.5)))
    return found, right


NOTHING = Calibration(weights=(0.0,) * len(NAMES), bias=0.0)


def test_a_fit_finds_what_the_questions_say() -> None:
    found, right = logistic_questions(4_000, slope=6)
    fitted = fit(found, right, np.ones(len(right)), NOTHING, prior=1)
    assert fitted.weights[0] == pytest.approx(6, abs=0.5)
    assert np.abs(fitted.weights[1:]).max() < 0.5
    assert calibration_error(np.array([fitted.probability(Features(*row)) for row in found]), right) < 0.03


def test_few_questions_hardly_move_it_from_where_it_starts() -> None:
    found, right = logistic_questions(10, slope=-20)
    start = Calibration(weights=(3.0,) * len(NAMES), bias=-1.0)
    fitted = fit(found, right, np.ones(len(right)), start)
    assert fitted.weights == pytest.approx(start.weights, abs=1.5)


def test_a_weight_of_two_is_the_question_twice() -> None:
    found, right = logistic_questions(50, slope=6)
    weights = np.where(right, 2.0, 1.0)
    twice = np.concatenate([np.arange(50), np.flatnonzero(right)])
    by_weight, by_repeating = (
        fit(found, right, weights, NOTHING),
        fit(found[twice], right[twice], np.ones(len(twice)), NOTHING),
    )
    assert [by_weight.probability(Features(*row)) for row in found] == pytest.approx(
        [by_repeating.probability(Features(*row)) for row in found], abs=0.02
    )


@pytest.mark.parametrize("outcome", [True, False])
def test_questions_that_are_all_right_or_all_wrong_do_no_harm(outcome: bool) -> None:
    found, _ = logistic_questions(30, slope=1)
    fitted = fit(found * 1e3, np.full(30, outcome), np.ones(30), NOTHING)
    assert (fitted.probability(Features(*(found[0] * 1e3))) > 0.5) is outcome


def test_a_feature_that_never_differs_is_no_problem() -> None:
    found, right = logistic_questions(100, slope=6)
    found[:, 1] = 7.0
    assert np.isfinite(fit(found, right, np.ones(100), NOTHING).weights).all()
