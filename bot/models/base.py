"""What every chat model promises, local or remote."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.question import Usage

ChatRole = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class ChatMessage:
    """One message of a prompt."""

    role: ChatRole
    content: str


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are chosen, temperature 0 takes the likeliest; after `seconds` an answer is given up."""

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    seconds: float | None = None


class Generation(Protocol):
    """An answer on its way: iterate for its text; `usage` and `finish_reason` are complete at the end."""

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        ...

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended."""
        ...

    def __aiter__(self) -> AsyncIterator[str]:
        """Yield the text as it comes, whole characters only."""
        ...

    async def aclose(self) -> None:
        """Stop at once; what was working on it is free within one step."""
        ...


class ChatModel(Protocol):
    """Answers prompts. Constructing one is light; `warm_up` loads what it needs, `close` gives it back."""

    @property
    def name(self) -> str:
        """The model's name, as customers may be told."""
        ...

    def warm_up(self) -> None:
        """Load the model; raises ModelUnavailable. Blocks."""
        ...

    def generate(self, messages: Sequence[ChatMessage], sampling: Sampling) -> Generation:
        """Begin an answer; raises ModelBusy or RemoteModelError, here or while iterating."""
        ...

    def hold(self) -> None:
        """Put off for a moment what nobody waits for: a question has come in."""
        ...

    async def close(self) -> None:
        """Stop all work and give the memory back."""
        ...
