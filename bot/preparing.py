"""What the local model computes while nobody asks: how prompts about the entries begin, asked-for entries first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import zip_longest

import structlog

from bot import messages, prompts
from bot.desk import FrontDesk
from bot.models.base import ChatMessage
from bot.models.local import LocalChatModel
from bot.published import POLL_SECONDS
from knowledge.search import Query

log = structlog.get_logger()

TURNS = 2_000
"""Of so many last turns the entries that were cited count as asked for."""


MOST = 1_000
"""Entries of a desk: more are not prepared, however much room there is."""


async def keep_prepared(model: LocalChatModel, desks: Iterable[FrontDesk]) -> None:
    """Prepare the model for what the desks answer from, and again whenever that changes, until cancelled."""
    desks = list(desks)
    known: list[object] = []
    while True:
        searching: list[object] = [desk.knowledge.searcher for desk in desks]
        if searching != known:
            known = searching
            try:
                wishes = [await openings(desk) for desk in desks]
                asked_for_first = [prompt for some in zip_longest(*wishes) for prompt in some if prompt]
                await asyncio.to_thread(model.prepare, asked_for_first)
            except Exception:  # it is a convenience: answers only come later without it
                log.exception("the local model could not be prepared")
        await asyncio.sleep(POLL_SECONDS)


async def openings(desk: FrontDesk) -> list[list[ChatMessage]]:
    """Return a prompt for each entry of a desk, with no question yet."""
    often = {entry: place for place, entry in enumerate(await desk.conversations.often_cited(TURNS))}
    entries = sorted(
        desk.knowledge.entries, key=lambda located: often.get((located.knowledge_base, located.entry.key), len(often))
    )
    return [
        prompts.about(
            messages.as_language(located.entry.language or desk.settings.bot.language), located.entry, Query("")
        )
        for located in entries[:MOST]
    ]
