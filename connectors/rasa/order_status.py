"""Where is my order? Asks for the number, remembers it, and looks the order up at a service of the company's."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, SecretStr
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from bot import messages
from connectors.base import ConnectorSettings
from connectors.rasa.tool import language_of, look_up, plain, text_of

SLOT = "order_number"
ASKED = "requested_slot"
_NUMBER = re.compile(r"(?<![0-9A-Za-z-])(?=[A-Za-z-]*[0-9])[0-9A-Za-z-]{6,32}(?![0-9A-Za-z-])")
"""Six or more letters and digits, with a digit among them."""


class OrderStatusSettings(ConnectorSettings):
    """Entries with the action `action_order_status` tell customers where their order is."""

    url: str = Field(
        pattern=r"^https?://.*\{number\}",
        description="Looks an order up, such as https://shop.example.com/api/orders/{number}; JSON, or 404.",
    )
    authorization: SecretStr = Field(SecretStr(""), description="Sent as the header Authorization.")
    answer_zh: str = Field("订单 {number}：{status}。", description="What is said, with the fields of the JSON.")
    answer_en: str = Field("Order {number}: {status}.", description="The same for all others.")


class OrderStatus(Action):
    """Says how far an order is."""

    Settings = OrderStatusSettings

    def __init__(self, settings: OrderStatusSettings) -> None:
        """Look orders up as the settings say."""
        self._settings = settings

    def name(self) -> str:
        """Return the name that entries give."""
        return "action_order_status"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Answer, or ask for the number; declines a reply that has no number in it."""
        del domain
        language, text = language_of(tracker), text_of(tracker)
        found = _NUMBER.search(text)
        was_asked = tracker.get_slot(ASKED) == SLOT
        number = found[0] if found else None if was_asked else tracker.get_slot(SLOT)
        if number is None:
            if was_asked and not any(character.isdigit() for character in text):
                raise ActionExecutionRejection(self.name(), "the customer speaks of something else")
            dispatcher.utter_message(text=messages.ask_order_number(language, again=was_asked))
            return [SlotSet(ASKED, SLOT)]
        response = await look_up(self._settings.url, tracker, self._settings.authorization, number=number)
        if response.status_code == 404:
            dispatcher.utter_message(text=messages.unknown_order(language, number))
            return [SlotSet(SLOT, None), SlotSet(ASKED, SLOT)]
        answer = self._settings.answer_zh if language == "zh" else self._settings.answer_en
        fields = plain(response.raise_for_status().json())
        dispatcher.utter_message(text=answer.format_map(fields | {"number": number}))
        return [SlotSet(SLOT, number), SlotSet(ASKED, None)]
