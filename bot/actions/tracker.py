"""The state of a conversation as actions know it: Rasa's tracker, and what Rasa's events do to it.

Names as in rasa_sdk.interfaces.Tracker and rasa_sdk.events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.actions.base import Event

KEEP_EVENTS = 200
LISTEN = "action_listen"
REQUESTED_SLOT = "requested_slot"
"""An action that sets this slot has asked something: the customer's next words go to it first."""


@dataclass
class TrackerState:
    """What is kept of a conversation between its actions; `awaiting` is the action that has asked something."""

    slots: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    awaiting: str | None = None


@dataclass(frozen=True)
class Wishes:
    """What an action wants to happen besides: another action, or people (None: neither they nor the bot alone)."""

    followup: str | None = None
    people: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What a customer wrote, and what was found for it: entries' keys with their confidence, the best first."""

    conversation_id: str
    turn_id: str
    text: str
    language: str
    channel: str
    visitor: str | None
    found: Sequence[tuple[str, float]] = ()


def to_tracker(occasion: Occasion, state: TrackerState, past: Iterable[Event], at: float) -> dict[str, Any]:
    """Return Rasa's tracker as JSON; `past` are the user and bot events of the turns before, `at` is in seconds."""
    ranking = [{"name": key, "confidence": confidence} for key, confidence in occasion.found]
    message = {
        "text": occasion.text,
        "intent": ranking[0] if ranking else {"name": "nlu_fallback", "confidence": 0.0},
        "intent_ranking": ranking,
        "entities": [],
        "message_id": occasion.turn_id,
        "metadata": {"language": occasion.language},
    }
    user = {
        "event": "user",
        "timestamp": at,
        "text": occasion.text,
        "parse_data": message,
        "input_channel": occasion.channel,
        "message_id": occasion.turn_id,
        "metadata": message["metadata"],
    }
    events = sorted([*past, *state.events], key=lambda event: float(event.get("timestamp") or 0.0))
    done = [event["name"] for event in events if event["event"] == "action"]
    return {
        "sender_id": occasion.conversation_id,
        "user_id": occasion.visitor,
        "slots": dict(state.slots),
        "latest_message": message,
        "latest_event_time": at,
        "latest_input_channel": occasion.channel,
        "events": [*events[-KEEP_EVENTS:], user],
        "paused": False,
        "followup_action": None,
        "active_loop": {"name": state.awaiting} if state.awaiting else {},
        "latest_action_name": done[-1] if done else LISTEN,
        "stack": [],
    }


def apply_events(state: TrackerState, action: str, events: Iterable[Event], at: float) -> Wishes:
    """Change the state as an action's events say; those that mean nothing here are only kept."""
    followup: str | None = None
    people: bool | None = None
    state.events.append({"event": "action", "name": action, "timestamp": at})
    for event in events:
        state.events.append({**event, "timestamp": event.get("timestamp") or at})
        match event.get("event"):
            case "slot":
                state.slots[str(event.get("name"))] = event.get("value")
                if event.get("name") == REQUESTED_SLOT:
                    state.awaiting = action if event.get("value") else None
            case "active_loop":
                state.awaiting = event.get("name")
            case "reset_slots":
                state.slots.clear()
                state.awaiting = None
            case "restart":
                state.slots.clear()
                state.events, state.awaiting, people = [state.events[-1]], None, None
            case "followup":
                followup = event.get("name")
            case "pause" | "resume" as name:
                people = name == "pause"
    del state.events[:-KEEP_EVENTS]
    return Wishes(None if followup == LISTEN else followup, people)


def initial_slots(domain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the slots that a domain declares, with their first values."""
    slots = domain.get("slots") or {}
    return {name: slot.get("initial_value") if isinstance(slot, dict) else None for name, slot in slots.items()}


def to_text(response: Mapping[str, Any], domain: Mapping[str, Any], slots: Mapping[str, Any]) -> str:
    """Return what a response says, as Markdown; one that is only named is looked up in the domain."""
    named = _in_domain(response, domain)
    text = _fill(str(response.get("text") or named.get("text") or ""), {**slots, **response} if named else {})
    custom = response.get("custom") or {}
    if not text and isinstance(custom, dict):
        text = str(custom.get("text") or "")
    links = [str(link) for link in (response.get("image") or named.get("image"), response.get("attachment")) if link]
    return "\n\n".join(part for part in (text, *links) if part)


def to_choices(response: Mapping[str, Any], domain: Mapping[str, Any]) -> list[str]:
    """Return what a response offers to be chosen, in words."""
    buttons = response.get("buttons") or _in_domain(response, domain).get("buttons") or []
    return [str(button["title"]) for button in buttons if isinstance(button, dict) and button.get("title")]


def _in_domain(response: Mapping[str, Any], domain: Mapping[str, Any]) -> Mapping[str, Any]:
    name = response.get("response") or response.get("template")
    wordings = (domain.get("responses") or {}).get(name) or [{}]
    return wordings[0] if isinstance(wordings[0], dict) else {}


def _fill(text: str, values: Mapping[str, Any]) -> str:
    """Fill in {slots}; a brace that names nothing known stays as it is."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        return match[0] if found is None else str(found)

    return re.sub(r"\{([^{}\n]+)\}", value, text)
