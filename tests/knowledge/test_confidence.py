from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.confidence import CALIBRATIONS, Calibration, Features, calibration_for
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.weights.catalogue import DEFAULT_EMBEDDING
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
    calibration = Calibration(weights=(1.0,) * len(NAMES), bias=0.0)  # type: ignore[arg-type]
    levels = [
        calibration.probability(Features(**{**dict.fromkeys(NAMES, 0.5), name: level})) for level in (0.0, 0.3, 0.9)
    ]
    assert levels == sorted(set(levels))


def test_the_default_embedder_and_none_at_all_have_calibrations_of_their_own() -> None:
    assert calibration_for(DEFAULT_EMBEDDING) != calibration_for(AbsentEmbedder.name)


def test_an_embedder_that_was_never_measured_gets_the_default_calibration() -> None:
    assert calibration_for("somebody's own model") == calibration_for(DEFAULT_EMBEDDING)
