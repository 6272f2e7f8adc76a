from __future__ import annotations

import pytest

import bot.http.limits
from bot.http.limits import RateLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_one_has_to_wait() -> None:
    limit = RateLimit(3, Clock())
    assert [limit.take("a") for _ in range(4)] == [0, 0, 0, 20]


def test_waiting_as_long_as_was_said_is_enough() -> None:
    clock = Clock()
    limit = RateLimit(3, clock)
    for _ in range(3):
        limit.take("a")
    clock.now += limit.take("a")
    assert limit.take("a") == 0
    assert limit.take("a") == 20


def test_a_refused_try_costs_nothing() -> None:
    clock = Clock()
    limit = RateLimit(1, clock)
    limit.take("a")
    assert {limit.take("a") for _ in range(100)} == {60}
    clock.now += 60
    assert limit.take("a") == 0


def test_no_more_than_a_minutes_worth_is_saved_up() -> None:
    clock = Clock()
    limit = RateLimit(2, clock)
    clock.now += 3_600
    assert [limit.take("a") for _ in range(3)] == [0, 0, 30]


def test_one_does_not_wait_for_another() -> None:
    limit = RateLimit(1, Clock())
    assert [limit.take("a"), limit.take("b")] == [0, 0]


def test_zero_is_no_limit() -> None:
    limit = RateLimit(0, Clock())
    assert {limit.take("a") for _ in range(1_000)} == {0}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.http.limits, "MAX_KEYS", 2)
    limit = RateLimit(1, Clock())
    for key in ("a", "b", "c"):
        limit.take(key)
    assert limit.take("c") > 0
    assert limit.take("a") == 0  # forgotten: it was heard of longest ago
