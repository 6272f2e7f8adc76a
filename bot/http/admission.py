"""Whether there is room for one more question: what cannot be answered soon is refused at once, and told so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from fastapi import Request

from bot import messages
from bot.desk import FrontDesk
from bot.http.errors import RequestError
from bot.http.running import RunningAnswers

SEARCH_SECONDS = 1.5
"""A search takes some 20 ms, with a reranker a second at most: one that takes longer waits behind too many others."""

LATE_SECONDS = 1.0
"""The event loop is this far behind only if it, or the machine, has far too much to do."""

LOOK_SECONDS = 0.25
RETRY_SECONDS = 2


class Admission:
    """Bounds how many questions are answered, and searched for, at the same time; all bots share the processor."""

    def __init__(self, desks: Mapping[str, FrontDesk], running: RunningAnswers, answers_at_once: int) -> None:
        """Count the answers on their way, and what the desks search for."""
        self._desks, self._running, self._answers_at_once = desks, running, answers_at_once
        self._late = 0.0

    async def watch(self) -> None:
        """Measure how far the event loop is behind, again and again, until cancelled."""
        while True:
            begun = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)
            self._late = time.monotonic() - begun - LOOK_SECONDS

    @property
    def searching(self) -> int:
        """How many questions' entries are being found."""
        return sum(desk.knowledge.searching for desk in self._desks.values())

    @property
    def is_full(self) -> bool:
        """Say whether another question would have to wait too long."""
        if self._running.unfinished >= self._answers_at_once or self._late > LATE_SECONDS:
            return True
        return any(desk.knowledge.searching_for > SEARCH_SECONDS for desk in self._desks.values())


def check_room(request: Request, language: str | None = None) -> None:
    """Refuse a question that there is no room for, in the customer's language: 503 with Retry-After."""
    admission: Admission = request.app.state.admission
    if admission.is_full:
        language = messages.as_language(language or request.headers.get("Accept-Language", "zh"))
        raise RequestError(503, "busy", messages.busy(language), retry_after=RETRY_SECONDS)
