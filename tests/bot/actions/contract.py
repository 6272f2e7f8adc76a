"""What whoever runs actions must do."""

from __future__ import annotations

from typing import Any

import pytest

from bot.actions.base import ActionRunner
from bot.actions.tracker import Occasion, TrackerState, to_tracker
from bot.errors import ActionDeclined, ActionError

DOMAIN: dict[str, Any] = {"version": "3.1", "responses": {"utter_weather": [{"text": "Sunny in {city}"}]}, "slots": {}}


def tracker(text: str = "hi", **slots: Any) -> dict[str, Any]:
    """Return a tracker of a conversation."""
    occasion = Occasion(
        conversation_id="c1", turn_id="t1", text=text, language="en", channel="web", visitor=None, found=[("E-1", 0.9)]
    )
    past = [{"event": "user", "text": "before", "timestamp": 1.0}, {"event": "bot", "text": "yes", "timestamp": 2.0}]
    return to_tracker(occasion, TrackerState(slots), past, 3.0)


class ActionRunnerContract:
    """Subclass it, and give the `runner` of the actions in company.py."""

    async def test_an_action_gets_the_conversation_and_answers(self, runner: ActionRunner) -> None:
        result = await runner.run("action_shown", tracker("where?", city="Hangzhou"), DOMAIN)
        shown = eval(str(result.responses[0]["text"]))
        assert shown == {
            "sender": "c1",
            "slots": {"city": "Hangzhou"},
            "text": "where?",
            "intent": "E-1",
            "said": [("user", "before"), ("bot", "yes"), ("user", "where?")],
            "loop": None,
            "channel": "web",
            "last": "action_listen",
            "responses": ["utter_weather"],
        }

    async def test_events_and_responses_come_back(self, runner: ActionRunner) -> None:
        result = await runner.run("action_hello", tracker(name="Ann"), DOMAIN)
        assert result.events == [{"event": "slot", "timestamp": None, "name": "greeted", "value": True}]
        assert [response["text"] for response in result.responses] == ["Hello, Ann!"]

    async def test_what_is_streamed_is_said(self, runner: ActionRunner) -> None:
        result = await runner.run("action_streams", tracker(), DOMAIN)
        assert [response["text"] for response in result.responses] == ["one", "two"]

    async def test_an_action_may_decline(self, runner: ActionRunner) -> None:
        with pytest.raises(ActionDeclined, match="not for me"):
            await runner.run("action_declines", tracker(), DOMAIN)

    async def test_an_action_that_breaks_is_an_error_of_ours(self, runner: ActionRunner) -> None:
        with pytest.raises(ActionError, match="the order system is away"):
            await runner.run("action_breaks", tracker(), DOMAIN)

    async def test_one_that_is_not_there_is_an_error(self, runner: ActionRunner) -> None:
        with pytest.raises(ActionError, match="action_unheard_of"):
            await runner.run("action_unheard_of", tracker(), DOMAIN)
