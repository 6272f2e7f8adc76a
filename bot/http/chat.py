"""The chat API: one answer as JSON, the same answer as a stream that can be resumed, feedback, and a human."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from bot import messages
from bot.http.admission import check_room
from bot.http.bots import bot_of, desk_of
from bot.http.errors import RequestError, describe, error_body, request_id
from bot.http.events import event_stream, frame
from bot.http.running import RunningAnswer, RunningAnswers
from bot.http.shapes import ServerEvents, to_json
from bot.http.visitors import Visitor, reception_of
from bot.question import Finished, Question

log = structlog.get_logger()
router = APIRouter(prefix="/api", tags=["chat"])

_NUMBER = re.compile(r"[0-9]{1,9}")
EXAMPLE: dict[str, Any] = {
    "question": "退货运费谁出？",
    "message_id": "3f0c7d0e-1f6b-4c39-9d0e-6f0c3c1d2b11",
    "language": "zh",
}


class ChatRequest(BaseModel):
    """A customer's question. The same `message_id` is never answered twice."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})
    question: str
    conversation_id: str | None = Field(None, max_length=64, description="Absent: a new conversation begins.")
    message_id: str | None = Field(None, min_length=1, max_length=64)
    language: Literal["zh", "en"] | None = None

    def to_question(self, visitor: str | None, bot: str) -> Question:
        """Return the neutral question of a visitor to a bot."""
        return Question(
            text=self.question,
            conversation_id=self.conversation_id,
            message_id=self.message_id,
            channel="web",
            language=self.language,
            visitor=visitor,
            bot=bot,
        )


class ChatResponse(BaseModel):
    """An answer with all that a page shows of it."""

    conversation_id: str
    turn_id: str
    outcome: Literal["direct", "grounded", "clarify", "escalated", "handoff", "refused"]
    confidence: float | None
    answer: str
    language: str
    standalone: str | None
    citations: list[dict[str, Any]]
    suggestions: list[dict[str, Any]]
    candidates: list[dict[str, Any]]
    model: str | None
    action: str | None
    degraded: bool
    reused: bool
    handoff: str
    timings: dict[str, float | None]
    usage: dict[str, int]


class FeedbackRequest(BaseModel):
    """A customer's thumb."""

    model_config = ConfigDict(extra="forbid")
    turn_id: str = Field(max_length=64)
    rating: Literal["up", "down"]
    comment: str | None = Field(None, max_length=2_000)


class HandoffRequest(BaseModel):
    """A customer's wish to talk to a person."""

    model_config = ConfigDict(extra="forbid")
    conversation_id: str = Field(max_length=64)
    language: Literal["zh", "en"] | None = None


def running_of(request: Request) -> RunningAnswers:
    """Return the application's running answers."""
    running: RunningAnswers = request.app.state.running
    return running


@router.post("/chat", response_model=ChatResponse)
async def chat(body: ChatRequest, request: Request, visitor: Visitor) -> dict[str, Any]:
    """Answer a question, whole."""
    running = _start(body, request, visitor)
    async for event in running.read():
        if isinstance(event, Finished):
            return to_json(event.answer)
    raise RequestError(503, "unfinished", "the answer was not finished; send the same message_id again")


@router.post("/chat/stream", response_class=StreamingResponse)
async def chat_stream(body: ChatRequest, request: Request, visitor: Visitor) -> StreamingResponse:
    """Answer a question as server-sent events: meta, citations, token, done, error."""
    running = _start(body, request, visitor)
    await running.begun()  # so that a question that is rejected gets its 4xx instead of a stream
    assert running.turn_id is not None
    return _stream(running.turn_id, running.stream(), 0, request)


@router.get("/chat/stream/{turn_id}", response_class=StreamingResponse)
async def resume_stream(
    turn_id: str, request: Request, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """Go on with a stream after the event that `Last-Event-ID` names, whichever replica began it."""
    reception = reception_of(request)
    reception.check_origin(request)
    start = _position(last_event_id, turn_id)
    events = await running_of(request).resume(turn_id, reception.visitor_of(request))
    return _stream(turn_id, events, start, request)


@router.post("/feedback", status_code=204)
async def feedback(body: FeedbackRequest, request: Request, visitor: Visitor) -> Response:
    """Keep a customer's thumb; the last one for a turn counts."""
    await desk_of(request).conversations.add_feedback(body.turn_id, body.rating, body.comment, visitor)
    return Response(status_code=204)


@router.post("/handoff")
async def hand_off(body: HandoffRequest, request: Request, visitor: Visitor) -> dict[str, str]:
    """Call a human."""
    desk = desk_of(request)
    language = messages.as_language(body.language or desk.settings.bot.language)
    if not desk.humans.enabled:
        raise RequestError(409, "no_humans", messages.no_humans(language))
    await desk.conversations.check_owner(body.conversation_id, visitor)
    await desk.humans.call(body.conversation_id, "asked")
    return {"handoff": "waiting", "message": desk.humans.answer_to_call(language)}


@router.get("/bot")
async def about_the_bot(request: Request) -> dict[str, Any]:
    """Say who answers here, for the chat page."""
    desk = desk_of(request)
    bot = desk.settings.bot
    entries = desk.knowledge.entries
    return {
        "name": bot.name,
        "welcome": {
            "zh": messages.welcome("zh", bot.name, bot.welcome_zh),
            "en": messages.welcome("en", bot.name, bot.welcome_en),
        },
        "avatar": desk.settings.widget.avatar,
        "starters": bot.starters or [located.entry.question for located in entries[:4]],
        "ready": desk.knowledge.is_ready,
        "chat_model": desk.local.name if desk.local else None,
        "embedding_model": desk.knowledge.embedder.name,
        "remote_model": desk.remote.name if desk.remote else None,
    }


def _start(body: ChatRequest, request: Request, visitor: str | None) -> RunningAnswer:
    """Begin to answer if there is room; what is being answered already needs none."""
    answers, question = running_of(request), body.to_question(visitor, bot_of(request))
    if not answers.holds(question):
        check_room(request, body.language)
    return answers.start(question)


def _stream(turn_id: str, events: ServerEvents, start: int, request: Request) -> StreamingResponse:
    return event_stream(_server_sent(turn_id, events, start, request_id(request)))


async def _server_sent(turn_id: str, events: ServerEvents, start: int, identifier: str) -> AsyncGenerator[str]:
    number = 0
    try:
        async with aclosing(events):
            async for name, data in events:
                if number >= start:
                    yield frame(name, data, f"{turn_id}:{number}")
                number += 1
    except Exception as error:  # the status is sent already, so the failure becomes an event
        _, kind, message, _ = describe(error)
        log.warning("stream failed", type=kind, error=str(error))
        yield frame("error", error_body(kind, message, identifier))


def _position(last_event_id: str | None, turn_id: str) -> int:
    """Return the number of the first event that was not seen."""
    if not last_event_id:
        return 0
    owner, _, number = last_event_id.rpartition(":")
    if owner != turn_id or not _NUMBER.fullmatch(number):
        raise RequestError(400, "invalid_event_id", "Last-Event-ID is not one of this answer's")
    return int(number) + 1
