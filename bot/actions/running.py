"""An action for a customer's question: found, run with those it wants to follow, and its wishes kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.actions.base import ActionResult, ActionRunner, Event
from bot.actions.tracker import (
    Occasion,
    TrackerState,
    apply_events,
    initial_slots,
    to_choices,
    to_text,
    to_tracker,
)
from bot.errors import ActionError
from bot.store.trackers import TrackerStore

log = structlog.get_logger()

MAX_IN_A_ROW = 5
"""So many actions may follow one another for one question."""


@dataclass
class Performance:
    """What the actions for one question did; `people` are wanted (True), not wanted (False), or not spoken of."""

    action: str
    texts: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    people: bool | None = None

    @property
    def text(self) -> str:
        """All that was said, as Markdown."""
        return "\n\n".join(self.texts)


class Actions:
    """Runs actions, wherever they are."""

    def __init__(
        self,
        runners: Sequence[ActionRunner],
        trackers: TrackerStore,
        domain: Mapping[str, Any],
        timeout_seconds: float,
    ) -> None:
        """Use the first runner that has an action."""
        self._runners, self._trackers, self._domain, self._timeout = runners, trackers, domain, timeout_seconds
        self._initial_slots = initial_slots(domain)

    def keeping_in(self, trackers: TrackerStore) -> Actions:
        """Return the same actions, with what they keep somewhere else."""
        return Actions(self._runners, trackers, self._domain, self._timeout)

    def offers(self, name: str | None) -> bool:
        """Say whether there may be such an action."""
        return bool(name) and any(runner.offers(str(name)) for runner in self._runners)

    async def awaited(self, conversation_id: str) -> str | None:
        """Return the action that has asked the customer something, None if none has."""
        if not self._runners:
            return None
        awaiting = (await self._trackers.load(conversation_id)).awaiting
        return awaiting if self.offers(awaiting) else None

    async def perform(self, name: str, occasion: Occasion) -> Performance:
        """Run an action, and those that it wants to follow.

        Raises:
            ActionError: it failed, or took too long.
            ActionDeclined: it has nothing to say to this.
        """
        state = await self._trackers.load(occasion.conversation_id)
        past = await self._trackers.past(occasion.conversation_id, occasion.turn_id)
        performance, following = Performance(name), name
        try:
            async with asyncio.timeout(self._timeout):
                for _ in range(MAX_IN_A_ROW):
                    following = await self._perform_one(following, occasion, state, past, performance)
                    if not following:
                        break
        except ActionError as error:
            await self._stop_waiting(name, occasion, state)
            if not performance.texts:
                raise
            log.warning("an action that should follow failed", action=name, error=str(error))
        except TimeoutError as error:
            await self._stop_waiting(name, occasion, state)
            raise ActionError(f"the action {name} took longer than {self._timeout:g} s") from error
        await self._trackers.save(occasion.conversation_id, state)
        return performance

    async def close(self) -> None:
        """Give everything back."""
        for runner in self._runners:
            await runner.close()

    async def _perform_one(
        self, name: str, occasion: Occasion, state: TrackerState, past: Sequence[Event], performance: Performance
    ) -> str:
        """Run one action, and return which shall follow, or nothing."""
        at = time.time()
        tracker = to_tracker(occasion, state, past, at)
        result = await self._run(name, tracker | {"slots": self._initial_slots | state.slots})
        wishes = apply_events(state, name, result.events, at)
        for response in result.responses:
            text = to_text(response, self._domain, self._initial_slots | state.slots)
            if text:
                performance.texts.append(text)
                state.events.append({"event": "bot", "timestamp": time.time(), "text": text, "data": {}})
            performance.choices += to_choices(response, self._domain)
        performance.people = performance.people if wishes.people is None else wishes.people
        return wishes.followup or ""

    async def _run(self, name: str, tracker: Mapping[str, Any]) -> ActionResult:
        runner = next((each for each in self._runners if each.offers(name)), None)
        if runner is None:
            raise ActionError(f"there is no action {name}")
        return await runner.run(name, tracker, self._domain)

    async def _stop_waiting(self, name: str, occasion: Occasion, state: TrackerState) -> None:
        """Let the customer's next words go the ordinary way."""
        if state.awaiting == name:
            state.awaiting = None
            await self._trackers.save(occasion.conversation_id, state)
