from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.question import Outcome
from bot.routing import Situation, route
from bot.sections import RoutingSettings

BANDS = RoutingSettings(direct=0.85, grounded=0.55, clarify=0.15, handoff_after=2)

situations = st.builds(
    Situation,
    confidence=st.floats(0, 1),
    asked_for_human=st.booleans(),
    local_model=st.booleans(),
    remote_model=st.booleans(),
    humans=st.booleans(),
    misses=st.integers(0, 5),
)


@pytest.mark.parametrize(
    ("confidence", "plan"),
    [
        (1.0, ("direct",)),
        (0.85, ("direct",)),
        (0.8499, ("grounded", "clarify")),
        (0.55, ("grounded", "clarify")),
        (0.5499, ("clarify",)),
        (0.15, ("clarify",)),
        (0.1499, ("refused",)),
        (0.0, ("refused",)),
    ],
)
def test_confidence_decides(confidence: float, plan: tuple[Outcome, ...]) -> None:
    assert route(Situation(confidence=confidence), BANDS) == plan


def test_without_a_local_model_nothing_is_grounded() -> None:
    assert route(Situation(confidence=0.7, local_model=False), BANDS) == ("clarify",)


def test_the_larger_model_is_asked_before_a_human() -> None:
    situation = Situation(confidence=0, remote_model=True, misses=1)
    assert route(situation, BANDS) == ("escalated", "handoff", "refused")


def test_a_first_miss_calls_no_human() -> None:
    assert route(Situation(confidence=0, misses=0), BANDS) == ("refused",)


def test_without_humans_none_is_called() -> None:
    assert route(Situation(confidence=0, misses=9, humans=False), BANDS) == ("refused",)


def test_who_asks_for_a_human_gets_one_whatever_the_confidence() -> None:
    assert route(Situation(confidence=1, asked_for_human=True), BANDS) == ("handoff",)
    assert route(Situation(confidence=1, asked_for_human=True, humans=False), BANDS) == ("refused",)


@given(situations)
def test_every_plan_ends_with_what_cannot_fail(situation: Situation) -> None:
    plan = route(situation, BANDS)
    assert plan[-1] in ("direct", "clarify", "refused", "handoff")
    assert len(set(plan)) == len(plan)


@given(situations)
def test_what_is_not_there_is_never_planned(situation: Situation) -> None:
    plan = route(situation, BANDS)
    assert situation.local_model or "grounded" not in plan
    assert situation.remote_model or "escalated" not in plan
    assert situation.humans or "handoff" not in plan
