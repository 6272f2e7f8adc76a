"""For assistants made with Rasa: an action that answers from the FAQ, with all that FrontDesk does for a question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from bot.errors import QuestionRejected
from bot.question import Answer
from connectors.base import Incoming
from connectors.rasa.rest import to_rasa
from connectors.rasa.tool import text_of

AnswerOne = Callable[[Incoming], Awaitable[tuple[list[str], Answer]]]
"""Answers a message, after what people have written to its sender meanwhile."""


class AnswerFaq(Action):
    """Answers the customer's last message; sets the slots that the assistant's domain declares, and no others.

    They are `faq_outcome` (direct, grounded, clarify, escalated, handoff or refused), `faq_confidence` (0 to 1),
    `faq_entry` (the key of the entry that answered) and `faq_handoff` (bot, waiting, human or closed).
    """

    def __init__(self, answer_one: AnswerOne) -> None:
        """Answer by this function."""
        self._answer_one = answer_one

    def name(self) -> str:
        """Return the name for stories and rules."""
        return "action_answer_faq"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say the answer, with buttons to choose from; declines what is no question, for a fallback of Rasa's."""
        del domain
        try:
            written, answer = await self._answer_one(to_incoming(tracker))
        except QuestionRejected as error:
            raise ActionExecutionRejection(self.name(), str(error)) from error
        for text in written:
            dispatcher.utter_message(text=text)
        for message in to_rasa(answer):
            dispatcher.utter_message(text=message["text"], buttons=message.get("buttons"))
        values = {
            "faq_outcome": answer.outcome,
            "faq_confidence": answer.confidence,
            "faq_entry": answer.citations[0].key if answer.citations else None,
            "faq_handoff": answer.handoff,
        }
        return [SlotSet(name, value) for name, value in values.items() if name in tracker.slots]


def to_incoming(tracker: Tracker) -> Incoming:
    """Return the customer's last message; the same one if Rasa asks for its answer again."""
    said: dict[str, Any] = next((event for event in reversed(tracker.events) if event.get("event") == "user"), {})
    number = said.get("message_id") or tracker.latest_message.get("message_id")
    when = said.get("timestamp")
    unique = number or (f"{tracker.sender_id}:{when}" if when else uuid4().hex)
    return Incoming(message_id=str(unique), thread=tracker.sender_id, address={}, text=text_of(tracker))
