"""Calling a human: the state is kept, and whoever follows it is told."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot import messages
from bot.live import Changes
from bot.privacy import mask
from bot.question import Message
from bot.sections import HandoffSettings
from bot.store.conversations import ConversationStore

log = structlog.get_logger()

SUMMARY_QUESTIONS = 3


class HandoffDesk:
    """Hands conversations to people."""

    def __init__(self, settings: HandoffSettings, store: ConversationStore) -> None:
        """Hand over as the settings say."""
        self.settings, self._store = settings, store
        self.changes = Changes()

    @property
    def enabled(self) -> bool:
        """Say whether there are people."""
        return self.settings.enabled

    def answer_to_call(self, language: str, *, asked: bool = True) -> str:
        """Return what a customer is told for whom a human is called, as they `asked` or not."""
        return self._unless_closed(language, messages.handed_off(language, asked=asked))

    def answer_meanwhile(self, language: str) -> str:
        """Return what a customer is told who writes while waiting for a human."""
        noted = self._unless_closed(language, messages.still_waiting(language))
        return f"{noted}\n{messages.way_back(language)}"

    def _unless_closed(self, language: str, sentence: str) -> str:
        hours = self.settings.opening_hours
        return sentence if hours.is_open() else messages.outside_hours(language, hours.describe(language))

    async def call(self, conversation_id: str, reason: str) -> None:
        """Hand a conversation over; a second call changes nothing."""
        summary = summarise(await self._store.transcript(conversation_id))
        if await self._store.hand_off(conversation_id, reason, summary):
            log.info("handed off", conversation=conversation_id, reason=reason)
            self.changes.tell(conversation_id)

    async def call_off(self, conversation_id: str) -> bool:
        """Give a conversation back to the bot for whose human nobody wants to wait; False if one is there."""
        if not await self._store.call_off(conversation_id):
            return False
        log.info("handoff called off", conversation=conversation_id)
        self.changes.tell(conversation_id)
        return True


def summarise(transcript: Sequence[Message]) -> str:
    """Return what the customer wanted, in their own words: the last questions, newest last."""
    questions = [message.text for message in transcript if message.role == "customer"]
    return " / ".join(mask(question) for question in questions[-SUMMARY_QUESTIONS:])
