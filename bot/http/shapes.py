"""Answers, and their events, as the API shows them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Any

from bot.question import Answer, Event, Started, Token

ServerEvents = AsyncGenerator[tuple[str, Any]]
"""A stream of server-sent events, name and data each."""


def to_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as the API shows it."""
    return {
        "conversation_id": answer.conversation_id,
        "turn_id": answer.turn_id,
        "outcome": answer.outcome,
        "confidence": answer.confidence,
        "answer": answer.text,
        "language": answer.language,
        "standalone": answer.standalone,
        "citations": [asdict(citation) for citation in answer.citations],
        "suggestions": [asdict(suggestion) for suggestion in answer.suggestions],
        "candidates": [candidate.to_dict() for candidate in answer.candidates],
        "model": answer.model,
        "action": answer.action,
        "degraded": answer.degraded,
        "reused": answer.reused,
        "handoff": answer.handoff,
        "timings": asdict(answer.timings),
        "usage": asdict(answer.usage),
    }


def to_server_events(event: Event) -> list[tuple[str, Any]]:
    """Return the server-sent events, name and data, that one event of the desk becomes."""
    if isinstance(event, Token):
        return [("token", {"text": event.text})]
    whole = to_json(event.answer)
    if isinstance(event, Started):
        names = ("conversation_id", "turn_id", "outcome", "confidence", "model", "standalone")
        return [("meta", {name: whole[name] for name in names}), ("citations", whole["citations"])]
    return [("done", {name: value for name, value in whole.items() if name not in ("candidates", "usage")})]
