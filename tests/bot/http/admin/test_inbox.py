"""Agents and customers, each on their side of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from bot.http import live
from tests.bot.fakes import RETURNS
from tests.bot.http.admin.conftest import PASSWORD
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import ServerEvent, assert_error_shape, read_events
from tests.bot.http.test_visitors import new_visitor

INBOX = "/api/admin/inbox"


@pytest.fixture
def conversation(owner: TestClient) -> str:
    """Give a conversation that waits for a person."""
    return call_human(owner)


def call_human(client: TestClient | httpx.Client, headers: dict[str, str] | None = None) -> str:
    answer = client.post("/api/chat", json={"question": "转人工"}, headers=headers).json()
    assert answer["handoff"] == "waiting"
    return str(answer["conversation_id"])


def act(client: TestClient | httpx.Client, conversation: str, what: str, **body: Any) -> None:
    reply = client.post(f"{INBOX}/{conversation}/{what}", json=body)
    assert reply.status_code == 204, reply.text


def test_who_waits_is_listed_with_what_they_want(owner: TestClient, conversation: str) -> None:
    body = owner.get(INBOX).json()
    assert [(each["id"], each["handoff"], each["last_text"]) for each in body["conversations"]] == [
        (conversation, "waiting", "转人工")
    ]
    assert body["hours"]["open"] is True


def wanted(client: TestClient) -> list[str]:
    return [each["wanted"] for each in client.get(INBOX).json()["conversations"]]


def test_what_is_wanted_is_the_last_question_and_not_the_call(owner: TestClient) -> None:
    def say(question: str, conversation: str | None = None) -> str:
        body = {"question": question, "conversation_id": conversation}
        return str(owner.post("/api/chat", json=body).json()["conversation_id"])

    conversation = say("沙发能分期吗")
    say("转人工", conversation)
    assert wanted(owner) == ["沙发能分期吗"]
    say("三人的那款", conversation)
    say("找人工", conversation)
    assert wanted(owner) == ["沙发能分期吗"]
    say("还在吗", conversation)
    assert wanted(owner) == ["还在吗"]
    act(owner, conversation, "take")
    act(owner, conversation, "reply", text="在的")
    assert wanted(owner) == ["沙发能分期吗"]


def test_of_who_only_called_the_call_is_shown(owner: TestClient, conversation: str) -> None:
    assert (conversation, wanted(owner)) == (conversation, ["转人工"])


def test_a_conversation_goes_to_a_person_and_back(owner: TestClient, conversation: str) -> None:
    act(owner, conversation, "take")
    act(owner, conversation, "reply", text=" 您好，我是 Olga。 ")
    silent = owner.post("/api/chat", json={"question": "我的订单", "conversation_id": conversation}).json()
    assert (silent["outcome"], silent["answer"], silent["handoff"]) == ("handoff", "", "human")
    act(owner, conversation, "note", text="VIP")
    act(owner, conversation, "release", to="bot")
    spoken = owner.post("/api/chat", json={"question": "怎么退货？", "conversation_id": conversation}).json()
    assert spoken["answer"] == RETURNS.answer
    shown = owner.get(f"{INBOX}/{conversation}").json()
    assert [(item["who"], item["text"]) for item in shown["items"]] == [
        ("customer", "转人工"),
        ("bot", "好的，已为您转接人工客服，请稍候。您可以继续补充说明，同事会看到完整的对话。"),
        ("state", "human"),
        ("agent", "您好，我是 Olga。"),
        ("customer", "我的订单"),
        ("note", "VIP"),
        ("state", "bot"),
        ("customer", "怎么退货？"),
        ("bot", RETURNS.answer),
    ]
    actions = [entry["action"] for entry in owner.get("/api/admin/audit").json()["entries"]]
    assert actions[:2] == ["conversation.released", "conversation.taken"]


def test_a_conversation_that_is_nobodys_cannot_be_answered(owner: TestClient, conversation: str) -> None:
    reply = owner.post(f"{INBOX}/{conversation}/reply", json={"text": "您好"})
    assert_error_shape(reply, 409, "not_yours")


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": " \n"}, {"text": "x" * 5_001}])
def test_an_empty_reply_is_refused(owner: TestClient, conversation: str, body: dict[str, str]) -> None:
    act(owner, conversation, "take")
    assert_error_shape(owner.post(f"{INBOX}/{conversation}/reply", json=body), 400, "invalid_request")


def test_the_faq_has_replies_to_offer(owner: TestClient, conversation: str) -> None:
    offered = owner.get(f"{INBOX}/{conversation}/suggestions", params={"text": "退货"}).json()["suggestions"]
    assert offered[0] == {
        "knowledge_base": "default",
        "key": "RET-1",
        "question": RETURNS.question,
        "answer": RETURNS.answer,
    }


def test_a_viewer_reads_along_and_no_more(as_role: Callable[[str], TestClient]) -> None:
    client = as_role("viewer")
    conversation = call_human(client)
    assert client.get(f"{INBOX}/{conversation}").status_code == 200
    assert_error_shape(client.post(f"{INBOX}/{conversation}/take", json={}), 403, "forbidden")


def test_outside_their_hours_people_are_promised_for_later(
    site: Site, open_client: Callable[[], TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.settings = {"handoff": {"hours": ["mon-fri 09:00-18:00"]}}
    monkeypatch.setattr("bot.hours.OpeningHours.is_open", lambda *_: False)
    answer = open_client().post("/api/chat", json={"question": "转人工"}).json()
    assert (answer["handoff"], "周一至周五 09:00–18:00" in answer["answer"]) == ("waiting", True)


# What the customer sees without asking


@contextmanager
def at_once(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


def logged_in(site: Site, client: httpx.Client, app: Any) -> httpx.Client:
    body = {"token": app.state.setup_token, "name": "Olga", "password": PASSWORD}
    client.headers["X-CSRF-Token"] = client.post("/api/admin/setup", json=body).json()["csrf"]
    return client


class Stream:
    """Reads a stream of events one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def next(self) -> ServerEvent:
        block: list[str] = []
        for line in self._lines:
            if line == "" and block:
                break
            if line and not line.startswith(":"):
                block.append(line)
        return read_events("\n".join(block) + "\n\n")[0]


def test_an_agents_words_reach_the_customer_at_once(site: Site) -> None:
    with site.served() as address, at_once(address) as customer, at_once(address) as agent:
        logged_in(site, agent, site.served_app)
        visitor = new_visitor(customer)
        conversation = call_human(customer, visitor)
        with customer.stream("GET", f"/api/conversations/{conversation}/events", headers=visitor) as response:
            stream = Stream(response)
            assert stream.next().data == {"state": "waiting", "agent": None}
            act(agent, conversation, "take")
            assert stream.next().data == {"state": "human", "agent": "Olga"}
            act(agent, conversation, "note", text="秘密")
            act(agent, conversation, "reply", text="您好")
            message = stream.next()
            assert (message.name, message.data["agent"], message.data["text"]) == ("message", "Olga", "您好")
            act(agent, conversation, "release", to="bot")
            assert stream.next().data == {"state": "bot", "agent": None}


def test_a_customer_who_was_away_gets_what_they_missed_once(site: Site) -> None:
    with site.served() as address, at_once(address) as customer, at_once(address) as agent:
        logged_in(site, agent, site.served_app)
        conversation = call_human(customer)
        act(agent, conversation, "take")
        act(agent, conversation, "reply", text="一")
        act(agent, conversation, "reply", text="二")
        path = f"/api/conversations/{conversation}/events"
        with customer.stream("GET", path) as response:
            stream = Stream(response)
            first = [stream.next() for _ in range(3)]
            assert [event.data.get("text") for event in first] == [None, "一", "二"]
        with customer.stream("GET", path, headers={"Last-Event-ID": first[1].id or ""}) as response:
            stream = Stream(response)
            assert [stream.next().data.get("text") for _ in range(2)] == [None, "二"]


def test_agents_see_a_new_call_at_once(site: Site) -> None:
    with site.served() as address, at_once(address) as customer, at_once(address) as agent:
        logged_in(site, agent, site.served_app)
        with agent.stream("GET", f"{INBOX}/events") as response:
            stream = Stream(response)
            stream.next()
            conversation = call_human(customer)
            assert stream.next().name == "changed"
            assert [each["id"] for each in agent.get(INBOX).json()["conversations"]] == [conversation]


def test_one_conversation_is_not_followed_without_end(site: Site) -> None:
    with site.served() as address, at_once(address) as customer, ExitStack() as open_streams:
        path = f"/api/conversations/{call_human(customer)}/events"
        streams = [Stream(open_streams.enter_context(customer.stream("GET", path))) for _ in range(live.MAX_STREAMS)]
        assert {stream.next().name for stream in streams} == {"handoff"}
        refused = customer.get(path)
        assert_error_shape(refused, 429, "too_many_streams")
        assert refused.headers["Retry-After"] == "10"


def test_another_visitors_conversation_cannot_be_followed(client: TestClient) -> None:
    conversation = call_human(client, new_visitor(client))
    path = f"/api/conversations/{conversation}/events"
    assert_error_shape(client.get(path), 404, "not_found")
    assert_error_shape(client.get(path, headers=new_visitor(client)), 404, "not_found")
    assert_error_shape(client.get(path, headers={"Origin": "https://evil.example"}), 403, "origin_not_allowed")


@pytest.mark.parametrize("last", ["x", "-1", "9" * 30, "１"])
def test_a_place_in_a_stream_that_never_was_is_refused(client: TestClient, last: str) -> None:
    conversation = call_human(client)
    headers = {"Last-Event-ID": last.encode()}
    reply = client.get(f"/api/conversations/{conversation}/events", headers=headers)
    assert_error_shape(reply, 400, "invalid_event_id")
