"""Asking a chat model, and choosing what to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from bot.models.base import ChatMessage, ChatModel, Sampling

T = TypeVar("T")


async def ask(model: ChatModel, messages: Sequence[ChatMessage], *, max_tokens: int) -> str:
    """Return the likeliest answer."""
    generation = model.generate(messages, Sampling(max_tokens=max_tokens))
    return "".join([piece async for piece in generation]).strip()


def evenly(items: Sequence[T], limit: int) -> list[T]:
    """Return at most so many items, evenly chosen; 0 takes all."""
    count = min(limit or len(items), len(items))
    return [items[place * len(items) // count] for place in range(count)]
