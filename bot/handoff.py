"""Calling a human: the state is kept, the transcript and a summary go to a webhook."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

import httpx
import structlog

from bot import messages
from bot.live import Changes
from bot.privacy import mask
from bot.question import Message
from bot.settings import HandoffSettings
from bot.store.conversations import ConversationStore

log = structlog.get_logger()

ATTEMPTS = 3
SUMMARY_QUESTIONS = 3


class HandoffDesk:
    """Hands conversations to people, and tells them in the background."""

    def __init__(self, settings: HandoffSettings, store: ConversationStore) -> None:
        """Remember whom to tell."""
        self.settings, self._store = settings, store
        self.changes = Changes()
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def enabled(self) -> bool:
        """Say whether there are people."""
        return self.settings.enabled

    def answer_to_call(self, language: str, *, again: bool = False) -> str:
        """Return what a customer is told who calls for a human, or writes `again` while waiting for one."""
        if not self.settings.opening_hours.is_open():
            return messages.outside_hours(language, self.settings.opening_hours.describe(language))
        return messages.still_waiting(language) if again else messages.handed_off(language)

    async def call(self, conversation_id: str, reason: str) -> None:
        """Hand a conversation over; a second call changes nothing."""
        transcript = await self._store.transcript(conversation_id)
        summary = summarise(transcript)
        handoff_id = await self._store.hand_off(conversation_id, reason, summary)
        if handoff_id is None:
            return
        log.info("handed off", conversation=conversation_id, reason=reason)
        self.changes.tell(conversation_id)
        if self.settings.webhook_url:
            notice = {
                "event": "handoff",
                "conversation_id": conversation_id,
                "reason": reason,
                "summary": summary,
                "transcript": [{"role": message.role, "text": mask(message.text)} for message in transcript],
            }
            task = asyncio.create_task(self._tell(handoff_id, notice))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Wait for the notices that are on their way."""
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def _tell(self, handoff_id: int, notice: Mapping[str, object]) -> None:
        assert self.settings.webhook_url
        body = json.dumps(notice, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        if secret := self.settings.webhook_secret:
            digest = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
            headers["X-FrontDesk-Signature"] = digest
        async with httpx.AsyncClient(timeout=10) as client:
            for attempt in range(ATTEMPTS):
                try:
                    response = await client.post(self.settings.webhook_url, content=body, headers=headers)
                    response.raise_for_status()
                except httpx.HTTPError as error:
                    log.warning("handoff webhook failed", attempt=attempt + 1, error=str(error))
                    await asyncio.sleep(2**attempt / 2)
                else:
                    await self._store.mark_notified(handoff_id)
                    return


def summarise(transcript: Sequence[Message]) -> str:
    """Return what the customer wanted, in their own words: the last questions, newest last."""
    questions = [message.text for message in transcript if message.role == "customer"]
    return " / ".join(mask(question) for question in questions[-SUMMARY_QUESTIONS:])
