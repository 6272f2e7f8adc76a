from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from bot import messages
from knowledge.errors import IndexUnavailable
from tests.bot.fakes import RETURNS, ScriptedModel, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape, read_events

ASKED = {"question": "怎么退货？"}
GOOD = "签收后7天内可以申请退货，运费12元由买家承担。"
Open = Callable[[], TestClient]


def test_an_answer_comes_whole(client: TestClient) -> None:
    body = client.post("/api/chat", json=ASKED).json()
    assert (body["outcome"], body["answer"], body["confidence"]) == ("direct", RETURNS.answer, 0.95)
    assert body["citations"][0]["key"] == "RET-1"
    assert body["candidates"][0]["fused_score"] == 0.0


def test_the_answer_belongs_to_the_conversation_that_was_named(client: TestClient) -> None:
    first = client.post("/api/chat", json=ASKED).json()
    again = client.post("/api/chat", json={**ASKED, "conversation_id": first["conversation_id"]}).json()
    assert again["conversation_id"] == first["conversation_id"]
    assert again["turn_id"] != first["turn_id"]


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
def test_the_same_message_is_answered_once(site: Site, open_client: Open, path: str) -> None:
    site.knowledge.confidence, site.local = 0.6, ScriptedModel(GOOD)
    client = open_client()
    first = client.post(path, json={**ASKED, "message_id": "m-1"})
    second = client.post(path, json={**ASKED, "message_id": "m-1"})
    assert second.text == first.text
    assert len(site.local.prompts) == 1


def test_a_stream_begins_with_meta_and_ends_with_done(site: Site, open_client: Open) -> None:
    site.knowledge.confidence, site.local = 0.6, ScriptedModel(*GOOD)
    response = open_client().post("/api/chat/stream", json=ASKED)
    events = read_events(response.text)
    names = [event.name for event in events]
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert names[:2] == ["meta", "citations"]
    assert names[-1] == "done"
    assert set(names[2:-1]) == {"token"}
    assert "".join(event.data["text"] for event in events if event.name == "token") == GOOD
    assert events[-1].data["answer"] == GOOD


def test_the_numbers_of_a_streams_events_rise(site: Site, open_client: Open) -> None:
    site.knowledge.confidence, site.local = 0.6, ScriptedModel(*GOOD)
    events = read_events(open_client().post("/api/chat/stream", json=ASKED).text)
    assert [event.number for event in events] == list(range(len(events)))
    assert {event.id.rpartition(":")[0] for event in events if event.id} == {events[0].data["turn_id"]}


def test_a_stream_says_when_the_answer_was_replaced(site: Site, open_client: Open) -> None:
    site.knowledge.confidence, site.local = 0.6, ScriptedModel("7天内可以，", "运费88元，", "完")
    response = open_client().post("/api/chat/stream", json=ASKED)
    events = read_events(response.text)
    assert [event.data["outcome"] for event in events if event.name == "meta"] == ["grounded", "direct"]
    assert (events[-1].data["answer"], events[-1].data["degraded"]) == (RETURNS.answer, True)
    assert "88" not in "".join(event.data["text"] for event in events if event.name == "token")


def test_what_is_offered_is_in_the_last_event(site: Site, open_client: Open) -> None:
    site.knowledge.confidence = 0.3
    events = read_events(open_client().post("/api/chat/stream", json=ASKED).text)
    assert [offered["key"] for offered in events[-1].data["suggestions"]] == ["RET-1", "INV-1", "PAY-1"]


def test_a_cut_stream_goes_on_where_it_was_left(site: Site, open_client: Open) -> None:
    site.knowledge.confidence, site.local = 0.6, ScriptedModel(*GOOD)
    client = open_client()
    whole = client.post("/api/chat/stream", json=ASKED).text
    events = read_events(whole)
    turn = events[0].data["turn_id"]
    for seen in range(len(events)):
        rest = client.get(f"/api/chat/stream/{turn}", headers={"Last-Event-ID": events[seen].id or ""})
        assert read_events(rest.text) == events[seen + 1 :]
    assert client.get(f"/api/chat/stream/{turn}").text == whole


@pytest.mark.parametrize("suffix", ["", ":", ":x", ":-1", ":1.5", " 3", "x:3"])
def test_a_last_event_of_no_use_is_refused(client: TestClient, suffix: str) -> None:
    turn = client.post("/api/chat", json=ASKED).json()["turn_id"]
    response = client.get(f"/api/chat/stream/{turn}", headers={"Last-Event-ID": f"{turn}{suffix}"})
    assert_error_shape(response, 400, "invalid_event_id")


def test_the_last_event_of_another_answer_is_refused(client: TestClient) -> None:
    first, second = (client.post("/api/chat", json=ASKED).json()["turn_id"] for _ in range(2))
    response = client.get(f"/api/chat/stream/{first}", headers={"Last-Event-ID": f"{second}:1"})
    assert_error_shape(response, 400, "invalid_event_id")


def test_an_event_number_beyond_all_sense_is_no_crash(client: TestClient) -> None:
    turn = client.post("/api/chat", json=ASKED).json()["turn_id"]
    response = client.get(f"/api/chat/stream/{turn}", headers={"Last-Event-ID": f"{turn}:{'9' * 5_000}"})
    assert response.status_code < 500


def test_a_thumb_is_kept(client: TestClient) -> None:
    turn = client.post("/api/chat", json=ASKED).json()["turn_id"]
    for rating in ("up", "down"):
        response = client.post("/api/feedback", json={"turn_id": turn, "rating": rating, "comment": "谢谢😀"})
        assert (response.status_code, response.content) == (204, b"")


def test_a_human_can_be_called_with_a_button(client: TestClient) -> None:
    conversation = client.post("/api/chat", json=ASKED).json()["conversation_id"]
    response = client.post("/api/handoff", json={"conversation_id": conversation, "language": "en"})
    assert response.json() == {"handoff": "waiting", "message": messages.handed_off("en")}
    following = client.post("/api/chat", json={**ASKED, "conversation_id": conversation}).json()
    assert (following["handoff"], following["answer"]) == (
        "waiting",
        f"{messages.still_waiting('zh')}\n{messages.way_back('zh')}",
    )


def test_without_humans_the_button_is_refused(site: Site, open_client: Open) -> None:
    site.settings = {"handoff": {"enabled": False}}
    client = open_client()
    conversation = client.post("/api/chat", json=ASKED).json()["conversation_id"]
    response = client.post("/api/handoff", json={"conversation_id": conversation})
    assert assert_error_shape(response, 409, "no_humans") == messages.no_humans("zh")


def test_the_page_is_told_who_answers(site: Site, open_client: Open) -> None:
    site.settings = {"bot": {"name": "小青"}}
    body = open_client().get("/api/bot").json()
    assert body["name"] == "小青"
    assert body["welcome"] == {language: messages.welcome(language, "小青") for language in ("zh", "en")}
    assert body["starters"][0] == RETURNS.question
    assert (body["ready"], body["chat_model"], body["remote_model"]) == (True, None, None)


def test_the_page_comes_with_a_policy_and_without_being_sniffed(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_outside_the_page_is_not_given(client: TestClient) -> None:
    assert client.get("/page/%2e%2e/app.py").status_code == 404
    assert client.get("/page/chat.js").status_code == 200


def test_other_web_sites_are_not_let_in_by_default(client: TestClient) -> None:
    response = client.post("/api/chat", json=ASKED, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_only_the_web_sites_that_are_named_are_let_in(site: Site, open_client: Open) -> None:
    site.settings = {"server": {"allowed_origins": ["https://shop.example"]}}
    client = open_client()
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/api/chat", headers=asked).headers["Access-Control-Allow-Origin"] == "https://shop.example"
    other = client.options("/api/chat", headers={**asked, "Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_every_request_has_an_identifier_of_its_own(client: TestClient) -> None:
    assert len({client.get("/healthz").headers["X-Request-ID"] for _ in range(5)}) == 5


def test_a_question_is_answered_while_nothing_is_published(site: Site, open_client: Open) -> None:
    site.knowledge = StubKnowledge(failure=IndexUnavailable("nothing has been published"))
    assert open_client().post("/api/chat", json=ASKED).json()["outcome"] == "refused"
