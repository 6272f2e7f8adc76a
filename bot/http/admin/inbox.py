"""The conversations that wait for people: see them, take them over, answer, give them back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from bot.guards import asks_for_human
from bot.http.admin.access import ConversationReader, ConversationWriter, audit, backoffice_of, parts_of
from bot.http.events import event_stream, frame
from bot.live import Changes
from bot.question import HandoffState
from bot.store.inbox import InboxConversation
from knowledge.errors import IndexUnavailable, ModelError
from knowledge.search import Query as SearchQuery

router = APIRouter()

SUGGESTIONS = 5
SEPARATOR = " / "
"""Between the questions of a summary."""


class Takeover(BaseModel):
    """Whose the conversation was when it was looked at: an agent's name, or null."""

    model_config = ConfigDict(extra="forbid")
    instead_of: str | None = Field(None, max_length=100)


class Words(BaseModel):
    """What an agent writes."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=5_000, pattern=r"\S")


class Release(BaseModel):
    """To whom a conversation goes: the bot, or nobody any more."""

    model_config = ConfigDict(extra="forbid")
    to: Literal["bot", "closed"]


@router.get("/inbox")
async def list_conversations(
    request: Request, _actor: ConversationReader, state: Annotated[list[HandoffState] | None, Query()] = None
) -> dict[str, Any]:
    """List conversations by who has them, those that wait longest first; by default those waiting and with people.

    `wanted` is the last that the customer wrote before a person had the conversation, other than to call for one.
    """
    conversations = await backoffice_of(request).inbox.conversations(state or ["waiting", "human"])
    hours = parts_of(request).desk.settings.handoff.opening_hours
    return {
        "conversations": [{**asdict(each), "wanted": _wanted(each)} for each in conversations],
        "hours": {"open": hours.is_open(), "text": {language: hours.describe(language) for language in ("zh", "en")}},
    }


@router.get("/inbox/events", response_class=StreamingResponse)
async def follow_inbox(request: Request, _actor: ConversationReader) -> StreamingResponse:
    """Send `changed` whenever something may have happened in any conversation."""
    return event_stream(_changes(parts_of(request).desk.humans.changes))


@router.get("/inbox/{conversation_id}")
async def show_conversation(conversation_id: str, request: Request, _actor: ConversationReader) -> dict[str, Any]:
    """Return a conversation with all that was said and noted in it."""
    inbox = backoffice_of(request).inbox
    conversation = await inbox.conversation(conversation_id)
    items = await inbox.transcript(conversation_id)
    return {"conversation": asdict(conversation), "items": [asdict(item) for item in items]}


@router.post("/inbox/{conversation_id}/take", status_code=204)
async def take_over(conversation_id: str, body: Takeover, request: Request, actor: ConversationWriter) -> Response:
    """Take a conversation over; from now on the bot is silent in it."""
    await backoffice_of(request).inbox.take(conversation_id, actor.name, instead_of=body.instead_of)
    await audit(request, actor, "conversation.taken", conversation_id, instead_of=body.instead_of)
    return _done(request, conversation_id)


@router.post("/inbox/{conversation_id}/reply", status_code=204)
async def reply(conversation_id: str, body: Words, request: Request, actor: ConversationWriter) -> Response:
    """Write to the customer, whom it reaches at once."""
    await backoffice_of(request).inbox.reply(conversation_id, actor.name, body.text.strip())
    return _done(request, conversation_id)


@router.post("/inbox/{conversation_id}/note", status_code=204)
async def note(conversation_id: str, body: Words, request: Request, actor: ConversationWriter) -> Response:
    """Write something that only colleagues see."""
    await backoffice_of(request).inbox.note(conversation_id, actor.name, body.text.strip())
    return _done(request, conversation_id)


@router.post("/inbox/{conversation_id}/release", status_code=204)
async def release(conversation_id: str, body: Release, request: Request, actor: ConversationWriter) -> Response:
    """Give a conversation back to the bot, or close it."""
    await backoffice_of(request).inbox.release(conversation_id, actor.name, body.to)
    await audit(request, actor, "conversation.released", conversation_id, to=body.to)
    return _done(request, conversation_id)


@router.get("/inbox/{conversation_id}/suggestions")
async def suggest(
    conversation_id: str,
    request: Request,
    _actor: ConversationReader,
    text: Annotated[str, Query(max_length=500)] = "",
) -> dict[str, Any]:
    """Find answers of the FAQ to `text`, or to what the customer wrote last."""
    knowledge = parts_of(request).desk.knowledge
    wanted = text.strip() or (await backoffice_of(request).inbox.conversation(conversation_id)).last_text
    try:
        evidence = await knowledge.search(SearchQuery(wanted), count=SUGGESTIONS)
    except (IndexUnavailable, ModelError):
        return {"suggestions": []}
    return {
        "suggestions": [
            {
                "knowledge_base": candidate.knowledge_base,
                "key": candidate.entry.key,
                "question": candidate.entry.question,
                "answer": candidate.entry.answer,
            }
            for candidate in evidence.candidates
        ]
    }


def _wanted(conversation: InboxConversation) -> str:
    written = (conversation.summary or "").split(SEPARATOR)
    if conversation.handoff == "waiting":
        written.append(conversation.last_text)  # else it may be an agent's
    questions = [text for text in written if text and not asks_for_human(text)]
    return questions[-1] if questions else conversation.last_text


async def _changes(changes: Changes) -> AsyncGenerator[str]:
    with changes.follow() as follower:
        while not changes.closed:
            await follower.news()
            yield frame("changed", {})


def _done(request: Request, conversation_id: str) -> Response:
    parts_of(request).desk.humans.changes.tell(conversation_id)
    return Response(status_code=204)
