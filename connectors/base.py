"""What every connector promises: two pure conversions and one handle, and nothing of the bot but its neutral types."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol, TypeVar

from bot.question import Answer, Event, Question

Incoming_contra = TypeVar("Incoming_contra", contravariant=True)
Outgoing = TypeVar("Outgoing")

Ask = Callable[[Question], AsyncIterator[Event]]
"""How a connector asks: the desk's `answer`."""


class Connector(Protocol[Incoming_contra, Outgoing]):
    """Joins one channel to the bot."""

    @property
    def channel(self) -> str:
        """The channel's name, as conversations are logged under."""
        ...

    def to_question(self, incoming: Incoming_contra) -> Question | None:
        """Return the question in what the platform sent; None if there is none, as in the bot's own messages."""
        ...

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return what the platform shows for an answer, split by its limits."""
        ...

    async def handle(self, incoming: Incoming_contra, ask: Ask) -> None:
        """Verify, acknowledge at once, ask, and send the answer."""
        ...
