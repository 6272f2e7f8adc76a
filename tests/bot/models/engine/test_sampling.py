from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models.engine.sampling import greedy, likeliest, log_probabilities, sample


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([40, 129, 1_000, 20_001]))
def test_the_likeliest_are_those_that_sorting_everything_gives(seed: int, size: int) -> None:
    row = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    assert row[likeliest(row, 40)].tolist() == sorted(row.tolist(), reverse=True)[:40]


def test_greedy_takes_the_highest_of_each_row() -> None:
    assert greedy(np.array([[0, 3, 1], [5, 3, 1]], np.float32)) == [1, 0]


def test_log_probabilities_are_those_of_softmax() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [50.0, 0.0, -50.0]], np.float32)
    expected = [math.log(math.exp(2) / (math.exp(1) + math.exp(2) + math.exp(3))), -50.0]
    assert log_probabilities(logits, [1, 1]) == pytest.approx(expected)


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    row = np.full(500, -100.0, np.float32)
    row[[7, 300]] = np.log([0.8, 0.2])
    random = np.random.default_rng(1)
    drawn = Counter(sample(row, 1.0, 1.0, random) for _ in range(2_000))
    assert set(drawn) == {7, 300}
    assert drawn[7] / 2_000 == pytest.approx(0.8, abs=0.03)


def test_top_p_leaves_the_tail_out_but_never_everything() -> None:
    row = np.full(500, -100.0, np.float32)
    row[[1, 2, 3]] = np.log([0.5, 0.3, 0.2])
    random = np.random.default_rng(2)
    assert {sample(row, 1.0, 0.7, random) for _ in range(200)} == {1, 2}
    assert {sample(row, 1.0, 0.0, random) for _ in range(20)} == {1}


def test_a_low_temperature_takes_the_likeliest() -> None:
    row = np.zeros(500, np.float32)
    row[42] = 1.0
    random = np.random.default_rng(3)
    assert {sample(row, 0.05, 1.0, random) for _ in range(50)} == {42}
