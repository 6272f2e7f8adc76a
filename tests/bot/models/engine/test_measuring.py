from __future__ import annotations

import pytest

from bot.models.engine.measuring import Speed, choices, measure
from knowledge.weights.library import ModelLibrary, Weights
from tests.conftest import MODELS


@pytest.fixture(scope="module")
def small() -> Weights:
    return ModelLibrary(MODELS).pull("smollm2-135m-instruct-q4_1")


@pytest.mark.parametrize(("cores", "tried"), [(1, [1]), (2, [1, 2]), (4, [1, 2, 4]), (16, [1, 8, 16])])
def test_one_half_and_all_cores_are_tried(cores: int, tried: list[int]) -> None:
    assert choices(cores) == tried


def test_the_usual_answer_weighs_all_three_speeds() -> None:
    speed = Speed(2, prompt=100.0, alone=50.0, together=150.0)
    assert speed.seconds == pytest.approx(0.3 + 0.3 + 0.1)


def test_every_number_is_measured_the_fastest_first(small: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.engine.measuring.REPEATS", 1)
    seen: list[tuple[int, int]] = []
    speeds = measure(small, [1, 2], lambda done, total: seen.append((done, total)))
    assert sorted(speed.threads for speed in speeds) == [1, 2]
    assert speeds[0].seconds <= speeds[1].seconds
    assert all(speed.prompt > 0 and speed.alone > 0 and speed.together > 0 for speed in speeds)
    assert seen == [(0, 2), (1, 2)]
