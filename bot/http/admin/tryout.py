"""Asking as a customer would, and seeing the whole way to the answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from bot.http.admin.access import KnowledgeReader, parts_of
from bot.http.shapes import to_json
from bot.question import Finished, Question
from bot.rehearsal import rehearse

router = APIRouter()


class Trial(BaseModel):
    """A question, after some earlier ones; `draft_of` a knowledge base answers from what is being edited there."""

    model_config = ConfigDict(extra="forbid")
    question: str
    earlier: list[Annotated[str, Field(max_length=2_000)]] = Field([], max_length=20)
    language: Literal["zh", "en"] | None = None
    draft_of: str | None = Field(None, max_length=100)


@router.post("/try")
async def try_out(body: Trial, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """Answer as in real chat, with the same numbers; nothing is logged, and no human is called."""
    desk = parts_of(request).desk
    searcher = await desk.knowledge.rehearse(body.draft_of) if body.draft_of else None
    question = Question(text=body.question, earlier=tuple(body.earlier), language=body.language, channel="console")
    events = [event async for event in rehearse(desk, searcher).answer(question)]
    assert isinstance(events[-1], Finished)
    answer = events[-1].answer
    bands = desk.settings.routing
    shown = {name: value for name, value in to_json(answer).items() if name not in ("conversation_id", "turn_id")}
    return {
        **shown,
        "thresholds": {"direct": bands.direct, "grounded": bands.grounded, "clarify": bands.clarify},
        **asdict(answer.trace),
    }
