"""What reaches a customer without being asked for: an agent's words, and who has the conversation."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from bot.http.admin.access import backoffice_of
from bot.http.bots import desk_of
from bot.http.errors import RequestError
from bot.http.events import event_stream, frame
from bot.http.visitors import reception_of
from bot.live import Changes
from bot.store.inbox import InboxStore

router = APIRouter(prefix="/api", tags=["chat"])

MAX_STREAMS = 10
"""Of one conversation: a customer has a few tabs, not hundreds."""
STREAM_RETRY_SECONDS = 10


@router.get("/conversations/{conversation_id}/events", response_class=StreamingResponse)
async def follow_conversation(
    conversation_id: str, request: Request, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """Send `handoff` with state and agent whenever these change, and `message` with each of an agent's replies.

    `Last-Event-ID` names the last reply that arrived.
    """
    reception = reception_of(request)
    reception.check_origin(request)
    desk = desk_of(request)
    await desk.conversations.check_owner(conversation_id, reception.visitor_of(request))
    if last_event_id and not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 10):
        raise RequestError(400, "invalid_event_id", "Last-Event-ID is not one of this conversation's")
    inbox, changes = backoffice_of(request).inbox, desk.humans.changes
    if changes.followers_of(conversation_id) >= MAX_STREAMS:
        busy = "this conversation is followed often enough"
        raise RequestError(429, "too_many_streams", busy, retry_after=STREAM_RETRY_SECONDS)
    return event_stream(_events(inbox, changes, conversation_id, int(last_event_id or 0)))


async def _events(inbox: InboxStore, changes: Changes, conversation_id: str, after: int) -> AsyncGenerator[str]:
    told = None
    with changes.follow(conversation_id) as follower:
        while not changes.closed:
            await follower.news()
            owner = await inbox.owner(conversation_id)
            if owner != told:
                told = owner
                yield frame("handoff", {"state": owner[0], "agent": owner[1]})
            for reply in await inbox.replies(conversation_id, after):
                after = reply.id
                data = {"id": reply.id, "agent": reply.agent, "text": reply.text, "at": reply.at.isoformat()}
                yield frame("message", data, str(reply.id))
