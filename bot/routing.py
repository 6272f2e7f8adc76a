"""From evidence and settings to an outcome: a pure function, and the whole of the policy."""

from __future__ import annotations

from dataclasses import dataclass

from bot.question import Outcome
from bot.settings import RoutingSettings


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What the choice depends on; `misses` counts the unanswered questions in a row before this one."""

    confidence: float
    asked_for_human: bool = False
    local_model: bool = True
    remote_model: bool = False
    humans: bool = True
    misses: int = 0


def route(situation: Situation, bands: RoutingSettings) -> tuple[Outcome, ...]:
    """Return the outcomes to try, best first; the last of them cannot fail."""
    if situation.asked_for_human:
        return ("handoff",) if situation.humans else ("refused",)
    if situation.confidence >= bands.direct:
        return ("direct",)
    if situation.confidence >= bands.grounded:
        return ("grounded", "clarify") if situation.local_model else ("clarify",)
    if situation.confidence >= bands.clarify:
        return ("clarify",)
    plan: list[Outcome] = []
    if situation.remote_model:
        plan.append("escalated")
    if situation.humans and situation.misses + 1 >= bands.handoff_after:
        plan.append("handoff")
    return (*plan, "refused")
