from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk import Tracker, events

from bot.actions.tracker import (
    KEEP_EVENTS,
    Occasion,
    TrackerState,
    Wishes,
    apply_events,
    initial_slots,
    to_choices,
    to_text,
    to_tracker,
)

OCCASION = Occasion(
    conversation_id="c", turn_id="t", text="到哪了", language="zh", channel="wecom", visitor="wecom:li", found=[]
)
DOMAIN: dict[str, Any] = {
    "responses": {
        "utter_sky": [{"text": "{city}: {sky}", "image": "https://x/sky.png", "buttons": [{"title": "More"}]}],
        "utter_empty": [],
    },
    "slots": {"city": {"type": "text", "initial_value": "Hangzhou"}, "sky": {"type": "text"}, "odd": None},
}


def test_rasa_reads_the_tracker() -> None:
    state = TrackerState({"a": 1}, [{"event": "action", "name": "action_x", "timestamp": 2.0}], "action_x")
    past = [{"event": "user", "text": "早", "timestamp": 1.0}, {"event": "bot", "text": "您好", "timestamp": 3.0}]
    tracker = Tracker.from_dict(to_tracker(OCCASION, state, past, 4.0))
    assert [event["event"] for event in tracker.events] == ["user", "action", "bot", "user"]
    assert (tracker.sender_id, tracker.user_id, tracker.get_slot("a")) == ("c", "wecom:li", 1)
    assert (tracker.latest_message["text"], tracker.get_latest_input_channel()) == ("到哪了", "wecom")
    assert tracker.latest_message["intent"]["name"] == "nlu_fallback"
    assert (tracker.active_loop_name, tracker.latest_action_name) == ("action_x", "action_x")
    assert tracker.last_executed_action_has("action_x")
    assert not tracker.is_paused()


@pytest.mark.parametrize(
    ("given", "slots", "awaiting", "wishes"),
    [
        ([events.SlotSet("b", 2)], {"a": 1, "b": 2}, None, Wishes()),
        ([events.SlotSet("requested_slot", "n")], {"a": 1, "requested_slot": "n"}, "act", Wishes()),
        (
            [events.SlotSet("requested_slot", "n"), events.SlotSet("requested_slot", None)],
            {"a": 1, "requested_slot": None},
            None,
            Wishes(),
        ),
        ([events.ActiveLoop("other")], {"a": 1}, "other", Wishes()),
        ([events.ActiveLoop("other"), events.ActiveLoop(None)], {"a": 1}, None, Wishes()),
        ([events.SlotSet("requested_slot", "n"), events.AllSlotsReset()], {}, None, Wishes()),
        ([events.AllSlotsReset(), events.SlotSet("b", 2)], {"b": 2}, None, Wishes()),
        ([events.SlotSet("requested_slot", "n"), events.Restarted()], {}, None, Wishes()),
        ([events.FollowupAction("next")], {"a": 1}, None, Wishes(followup="next")),
        ([events.FollowupAction("action_listen")], {"a": 1}, None, Wishes()),
        ([events.ConversationPaused()], {"a": 1}, None, Wishes(people=True)),
        ([events.ConversationPaused(), events.ConversationResumed()], {"a": 1}, None, Wishes(people=False)),
        ([events.ConversationPaused(), events.Restarted()], {}, None, Wishes()),
        ([events.StoryExported(), events.UserUtteranceReverted(), {"event": "?"}], {"a": 1}, None, Wishes()),
    ],
)
def test_events_are_honoured(given: list[Any], slots: dict[str, Any], awaiting: str | None, wishes: Wishes) -> None:
    state = TrackerState({"a": 1})
    assert apply_events(state, "act", given, 1.0) == wishes
    assert (state.slots, state.awaiting) == (slots, awaiting)


def test_a_restart_forgets_what_was_before_it() -> None:
    state = TrackerState({}, [{"event": "slot", "name": "old", "timestamp": 0.5}])
    apply_events(state, "act", [events.SlotSet("a", 1), events.Restarted(), events.SlotSet("b", 2)], 1.0)
    assert [event["event"] for event in state.events] == ["restart", "slot"]
    assert all(event["timestamp"] == 1.0 for event in state.events)


def test_events_are_kept_up_to_a_number() -> None:
    state = TrackerState()
    apply_events(state, "act", [events.SlotSet("a", number) for number in range(1_000)], 1.0)
    assert len(state.events) == KEEP_EVENTS


@pytest.mark.parametrize(
    ("response", "text", "choices"),
    [
        ({"text": "Hi {you}", "buttons": []}, "Hi {you}", []),
        ({"text": "Hi", "image": "https://x/1.png", "attachment": "https://x/a.pdf"},
         "Hi\n\nhttps://x/1.png\n\nhttps://x/a.pdf", []),
        ({"custom": {"text": "from custom"}}, "from custom", []),
        ({"custom": ["?"], "text": None}, "", []),
        ({"response": "utter_sky", "sky": "sunny"}, "Hangzhou: sunny\n\nhttps://x/sky.png", ["More"]),
        ({"template": "utter_sky"}, "Hangzhou: {sky}\n\nhttps://x/sky.png", ["More"]),
        ({"response": "utter_unknown"}, "", []),
        ({"response": "utter_empty"}, "", []),
        ({"text": "Which?", "buttons": [{"title": "A"}, {"payload": "/b"}, "?"]}, "Which?", ["A"]),
    ],
)  # fmt: skip
def test_responses_become_text_and_choices(response: dict[str, Any], text: str, choices: list[str]) -> None:
    assert to_text(response, DOMAIN, initial_slots(DOMAIN)) == text
    assert to_choices(response, DOMAIN) == choices


def test_slots_begin_as_the_domain_says() -> None:
    assert initial_slots(DOMAIN) == {"city": "Hangzhou", "sky": None, "odd": None}
    assert initial_slots({}) == {}
