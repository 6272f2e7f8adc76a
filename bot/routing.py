"""From evidence and settings to an outcome: a pure function, and the whole of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.question import Outcome
from bot.sections import RoutingSettings

Step = Outcome | Literal["action", "reply"]
"""A way to an outcome: the top entry's action, and one that takes a reply to what it has asked, answer directly."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What the choice depends on; `misses` counts the unanswered questions in a row before this one.

    `action` says that the top entry has one, `awaited` that one has asked the customer something just before.
    """

    confidence: float
    action: bool = False
    awaited: bool = False
    asked_for_human: bool = False
    local_model: bool = True
    remote_model: bool = False
    humans: bool = True
    misses: int = 0


def route(situation: Situation, bands: RoutingSettings) -> tuple[Step, ...]:
    """Return the steps to try, best first; the last of them cannot fail."""
    if situation.asked_for_human:
        return ("handoff",) if situation.humans else ("refused",)
    plan = _by_confidence(situation, bands)
    if situation.awaited and situation.confidence < bands.direct:
        return ("reply", *plan)
    if situation.action and situation.confidence >= bands.grounded:
        return ("action", *plan)
    return plan


def outcome_of(step: Step) -> Outcome:
    """Return the outcome that a step leads to if it succeeds."""
    match step:
        case "action" | "reply":
            return "direct"
    return step


def _by_confidence(situation: Situation, bands: RoutingSettings) -> tuple[Step, ...]:
    if situation.confidence >= bands.direct:
        return ("direct",)
    if situation.confidence >= bands.grounded:
        return ("grounded", "clarify") if situation.local_model else ("clarify",)
    if situation.confidence >= bands.clarify:
        return ("clarify",)
    plan: list[Step] = []
    if situation.remote_model:
        plan.append("escalated")
    if situation.humans and situation.misses + 1 >= bands.handoff_after:
        plan.append("handoff")
    return (*plan, "refused")
