from __future__ import annotations

import pytest

from bot.models.engine.costs import SIZES, StepCosts


def test_the_first_step_sets_the_scale() -> None:
    costs = StepCosts(one_row=1.0)
    costs.learn(1, 0.01)
    assert costs(1) == pytest.approx(0.01)
    assert costs(4) == pytest.approx(0.026)


def test_costs_follow_what_steps_take() -> None:
    costs = StepCosts(one_row=0.01)
    costs.learn(1, 0.01)
    for _ in range(100):
        costs.learn(4, 0.011)
    assert costs(4) == pytest.approx(0.011, rel=0.01)
    assert costs(1) == pytest.approx(0.01, rel=0.1)


def test_between_known_sizes_and_beyond_them_costs_are_linear() -> None:
    costs = StepCosts(one_row=1.0)
    assert costs(4) < costs(6) < costs(8)
    assert costs(2 * SIZES[-1]) == pytest.approx(2 * costs(SIZES[-1]))


def test_one_slow_step_does_not_count_for_much() -> None:
    costs = StepCosts(one_row=0.01)
    for _ in range(50):
        costs.learn(1, 0.01)
    costs.learn(1, 0.05)
    assert costs(1) < 0.015


def test_a_size_that_does_not_come_is_not_believed_to_be_as_slow_as_it_was_on_a_bad_day() -> None:
    costs = StepCosts(one_row=0.01)
    for rows in (1, 8, 48) * 20:
        costs.learn(rows, costs(rows))
    usual = costs(48)
    for seconds in (0.5, 1.0, 3.0) * 20:
        costs.learn(48, seconds)
    assert costs(48) > 0.5
    for _ in range(60):
        costs.learn(1, 0.01)
    assert costs(48) < 2 * usual


def test_a_stall_is_a_slow_step_and_no_more() -> None:
    costs = StepCosts(one_row=0.01)
    for _ in range(50):
        costs.learn(8, 0.03)
    costs.learn(8, 10.0)
    assert costs(8) < 0.07
