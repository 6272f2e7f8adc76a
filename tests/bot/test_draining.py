from __future__ import annotations

import pytest

from bot.draining import Drain
from bot.errors import ServerStopping


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_before_it_begins_everything_is_admitted() -> None:
    drain = Drain(20)
    drain.admit("怎么退货？")
    assert (drain.begun, drain.is_over, drain.seconds_left) == (False, False, 20)


def test_it_is_over_once_nothing_is_at_work() -> None:
    drain = Drain(20)
    with drain.working():
        drain.begin()
        assert not drain.is_over
        with drain.working():
            pass
        assert not drain.is_over
    assert drain.is_over


def test_it_is_over_once_its_time_is_up_though_it_is_begun_again() -> None:
    clock = Clock()
    drain = Drain(20, clock)
    with drain.working():
        drain.begin()
        clock.now += 15
        drain.begin()
        assert (drain.seconds_left, drain.is_over) == (5, False)
        clock.now += 6
        assert (drain.seconds_left, drain.is_over) == (0, True)


def test_what_fails_is_not_at_work_any_more() -> None:
    drain = Drain(20)
    drain.begin()
    with pytest.raises(ValueError, match="crash"), drain.working():
        raise ValueError("crash")
    assert drain.is_over


def test_a_refusal_is_in_the_language_of_the_question() -> None:
    drain = Drain(20)
    drain.begin()
    with pytest.raises(ServerStopping, match="请几秒后"):
        drain.admit("怎么退货？")
    with pytest.raises(ServerStopping, match="in a few seconds"):
        drain.admit("How do I return it?")
