"""Asking a chat model, and waiting for all of its answer."""

from __future__ import annotations

from collections.abc import Sequence

from bot.models.base import ChatMessage, ChatModel, Sampling


async def ask(model: ChatModel, messages: Sequence[ChatMessage], *, max_tokens: int) -> str:
    """Return the likeliest answer."""
    generation = model.generate(messages, Sampling(max_tokens=max_tokens))
    return "".join([piece async for piece in generation]).strip()
