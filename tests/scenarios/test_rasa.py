"""`frontdesk actions`, called as an assistant made with Rasa calls its action server."""

from __future__ import annotations

import json
import shutil
import signal
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.bot.actions.company import write_actions
from tests.scenarios.conftest import Served, run, served

SLOTS = ("faq_outcome", "faq_confidence", "faq_entry", "faq_handoff")


class Assistant:
    """A Rasa assistant with one customer."""

    def __init__(self, server: Served, **slots: Any) -> None:
        self.server, self.slots = server, slots
        self.sender = uuid4().hex
        self.events: list[dict[str, Any]] = []

    def call(self, text: str, action: str = "action_answer_faq", **more: Any) -> dict[str, Any]:
        """Return the call that Rasa would make."""
        message = {"text": text, "intent": {"name": "faq", "confidence": 0.9}, "entities": []}
        self.events.append({"event": "user", "text": text, "message_id": uuid4().hex, "parse_data": message})
        tracker = {"sender_id": self.sender, "slots": self.slots, "latest_message": message, "events": self.events}
        return {"next_action": action, "sender_id": self.sender, "tracker": tracker, "domain": {"slots": {}}} | more

    def post(self, call: Any, **options: Any) -> httpx.Response:
        with self.server.client as client:
            return client.post("/webhook", json=call, **options)

    def ask(self, text: str) -> list[str]:
        """Return what the assistant would say."""
        response = self.post(self.call(text))
        assert response.status_code == 200, response.text
        for event in response.json()["events"]:
            self.slots[event["name"]] = event["value"]
        return [each["text"] for each in response.json()["responses"]]


@pytest.fixture(scope="module")
def actions(shop_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = Path(shutil.copytree(shop_home, tmp_path_factory.mktemp("actions") / "shop"))
    with served(home, "actions", FRONTDESK_MODELS__CHAT="") as server:
        yield server


@pytest.mark.xdist_group("rasa")
class TestActionServer:
    """One server for all who only ask."""

    def test_the_faq_answers_and_the_slots_that_the_domain_has_are_set(self, actions: Served) -> None:
        assistant = Assistant(actions, **dict.fromkeys(SLOTS))
        [answer] = assistant.ask("怎么退货？")
        assert "7 天内" in answer
        assert assistant.slots["faq_outcome"] == "direct"
        assert assistant.slots["faq_confidence"] > 0.85
        assert assistant.slots["faq_handoff"] == "bot"
        assert assistant.slots["faq_entry"]

    def test_slots_that_it_has_not_are_left_alone(self, actions: Served) -> None:
        assistant = Assistant(actions)
        assistant.ask("怎么退货？")
        assert assistant.slots == {}

    def test_it_is_one_conversation(self, actions: Served) -> None:
        assistant = Assistant(actions, faq_outcome=None, faq_handoff=None)
        assistant.ask("怎么退货？")
        follow_up = assistant.post(assistant.call("那运费呢？")).json()["responses"]
        assert "运费" in json.dumps(follow_up, ensure_ascii=False)
        assistant.ask("转人工")
        assert (assistant.slots["faq_outcome"], assistant.slots["faq_handoff"]) == ("handoff", "waiting")

    def test_the_same_message_asked_again_has_the_same_answer(self, actions: Served) -> None:
        assistant = Assistant(actions)
        call = assistant.call("怎么退货？")
        first, second = assistant.post(call).json(), assistant.post(call).json()
        assert first == second

    def test_choices_are_buttons(self, actions: Served) -> None:
        assistant = Assistant(actions)
        response = assistant.post(assistant.call("退货"))
        for said in response.json()["responses"]:
            for button in said["buttons"]:
                assert button["title"] == button["payload"]

    def test_compressed_calls_are_understood(self, actions: Served) -> None:
        body = zlib.compress(json.dumps(Assistant(actions).call("怎么退货？")).encode())
        with actions.client as client:
            response = client.post("/webhook", content=body, headers={"Content-Encoding": "deflate"})
        assert "7 天内" in response.json()["responses"][0]["text"]

    def test_what_is_no_question_is_left_to_rasa(self, actions: Served) -> None:
        assistant = Assistant(actions)
        response = assistant.post(assistant.call("   "))
        assert (response.status_code, response.json()["action_name"]) == (400, "action_answer_faq")

    def test_the_rest_of_the_exchange_is_rasas(self, actions: Served) -> None:
        assistant = Assistant(actions)
        with actions.client as client:
            assert client.get("/health").json() == {"status": "ok"}
            assert client.get("/actions").json() == [{"name": "action_answer_faq"}]
        unknown = assistant.post(assistant.call("?", "action_unheard_of"))
        undomained = assistant.call("怎么退货？", domain_digest="x")
        del undomained["domain"]
        assert unknown.status_code == 404
        assert assistant.post(undomained).status_code == 449
        assert assistant.post({"next_action": None}).json() is None


def test_it_serves_the_companys_own_actions_too_and_stops_when_asked(home: Path) -> None:
    folder = write_actions(home)
    with served(home, "actions", FRONTDESK_MODELS__CHAT="", FRONTDESK_ACTIONS__FOLDER=str(folder)) as server:
        assistant = Assistant(server, name="Ann")
        assert assistant.post(assistant.call("hi", "action_hello")).json()["responses"][0]["text"] == "Hello, Ann!"
        assert server.stop() in (0, -signal.SIGTERM)


def test_what_an_agent_writes_comes_with_the_next_answer(home: Path) -> None:
    password = "a long enough password"
    settings = {"FRONTDESK_MODELS__CHAT": ""}
    made = run(home, "admin", "create-user", "olga", "--role", "agent", given=password)
    assert made.returncode == 0, made.stderr
    with served(home, **settings) as site, served(home, "actions", **settings) as actions, site.client as agent:
        assistant = Assistant(actions)
        assistant.ask("转人工")
        login = agent.post("/api/admin/login", json={"name": "olga", "password": password})
        agent.headers["X-CSRF-Token"] = login.json()["csrf"]
        [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
        agent.post(f"/api/admin/inbox/{waiting['id']}/take", json={})
        agent.post(f"/api/admin/inbox/{waiting['id']}/reply", json={"text": "您好，我是 Olga"})
        assert assistant.ask("在吗？") == ["您好，我是 Olga"]
        assert assistant.ask("好的") == []
