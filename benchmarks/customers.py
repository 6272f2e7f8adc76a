"""Customers who come when they come, whether or not the others have their answers: an open-loop load generator.

Moments of arrival are a Poisson process. What a customer waits is counted from the moment of arrival, so that a
generator that is held up itself hides nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import aiohttp

PATIENCE_SECONDS = 60
Fate = Literal["answered", "refused", "left", "failed"]


@dataclass
class Visit:
    """What became of a question: `first` and `whole` are seconds from its arrival to the first words and the last."""

    at: float
    fate: Fate = "failed"
    outcome: str = ""
    degraded: bool = False
    told: bool = True
    first: float | None = None
    whole: float | None = None
    trouble: str = ""

    @property
    def is_direct(self) -> bool:
        """Say whether an entry's own words were given because they were certain, not for want of better ones."""
        return self.fate == "answered" and self.outcome == "direct" and not self.degraded

    @property
    def is_grounded(self) -> bool:
        """Say whether the local model's words were given."""
        return self.fate == "answered" and self.outcome == "grounded"


class Customers:
    """Asks a server over its stream, as the widget does. A share of those whose answer has begun leaves."""

    def __init__(self, session: aiohttp.ClientSession, questions: Iterator[str], seed: int, leaving: float = 0) -> None:
        """Ask these questions, in this order."""
        self._session, self._questions, self._leaving = session, questions, leaving
        self._chance = random.Random(seed)
        self.visits: list[Visit] = []

    async def come(self, rate: float, seconds: float) -> list[Visit]:
        """Send so many a second on average for some seconds, whatever becomes of them; return once all have an end."""
        begun = time.monotonic()
        moment, visiting = begun, set[asyncio.Task[None]]()
        self.visits = []
        while (moment := moment + self._chance.expovariate(rate)) < begun + seconds:
            await asyncio.sleep(moment - time.monotonic())
            task = asyncio.create_task(self._visit(moment))
            visiting.add(task)
            task.add_done_callback(visiting.discard)
        if visiting:
            await asyncio.wait(visiting)
        return self.visits

    async def take_turns(self, many: int, seconds: float) -> list[Visit]:
        """Have so many customers ask one question after the other for some seconds, each waiting for the answer."""
        self.visits, end = [], time.monotonic() + seconds

        async def customer() -> None:
            while (now := time.monotonic()) < end:
                await self._visit(now)

        await asyncio.gather(*(customer() for _ in range(many)))
        return self.visits

    async def _visit(self, arrived: float) -> None:
        visit = Visit(arrived)
        self.visits.append(visit)
        body = {"question": next(self._questions), "message_id": uuid4().hex}
        leaves = self._chance.random() < self._leaving
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                async with self._session.post("/api/chat/stream", json=body) as reply:
                    await self._read(reply, visit, leaves=leaves)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            visit.trouble = f"{type(error).__name__}: {error}"

    async def _read(self, reply: aiohttp.ClientResponse, visit: Visit, *, leaves: bool) -> None:
        if reply.status in (429, 503):
            said = await reply.json()
            visit.fate = "refused"
            visit.told = "Retry-After" in reply.headers and bool(said["error"]["message"])
            return
        reply.raise_for_status()
        name = ""
        async for raw in reply.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
                if name == "token" and visit.first is None:
                    visit.first = time.monotonic() - visit.at
                if name == "meta" and leaves:
                    visit.fate = "left"
                    reply.close()
                    return
            elif line.startswith("data: ") and name in ("done", "error"):
                self._end(visit, name, json.loads(line.removeprefix("data: ")))
                return

    def _end(self, visit: Visit, name: str, said: dict[str, Any]) -> None:
        if name == "error":
            visit.trouble = f"{said['error']['type']}: {said['error']['message']}"
            return
        visit.whole = time.monotonic() - visit.at
        visit.fate, visit.outcome, visit.degraded = "answered", said["outcome"], said["degraded"]
