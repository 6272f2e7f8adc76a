from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from bot.errors import ModelBusy, NotFound, QuestionRejected, RemoteModelError
from bot.http.errors import RequestError, describe
from knowledge.errors import IndexUnavailable, ModelError, UnknownModel
from tests.bot.fakes import ScriptedModel, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape, read_events

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("", "empty_question"),
        (" \n\t", "empty_question"),
        ("\u0000\u0007\u001b", "empty_question"),
        ("\u200b\u200d\ufeff\u2060", "empty_question"),
        ("问" * 33_000, "question_too_long"),
    ],
)
def test_what_is_no_question_is_refused(client: TestClient, path: str, question: str, kind: str) -> None:
    assert_error_shape(client.post(path, json={"question": question}), 400, kind)


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": 5},
        {"question": None},
        {"question": ["a"]},
        {"question": "a", "language": "fr"},
        {"question": "a", "message_id": ""},
        {"question": "a", "message_id": "m" * 65},
        {"question": "a", "colour": "red"},
        {"question": "a", "conversation_id": {"x": 1}},
        [],
        "text",
        None,
    ],
)
def test_wrong_types_are_refused(client: TestClient, path: str, body: object) -> None:
    assert_error_shape(client.post(path, json=body), 400, "invalid_request")


@pytest.mark.parametrize("body", [b"", b"{", b'{"question": ', b"\xff\xfe{}", b"\x00"])
def test_what_is_not_json_is_refused(client: TestClient, body: bytes) -> None:
    assert_error_shape(client.post("/api/chat", content=body, headers=JSON), 400, "invalid_request")


def test_a_body_nested_without_end_is_no_crash(client: TestClient) -> None:
    assert client.post("/api/chat", content=b"[" * 100_000, headers=JSON).status_code == 400


def test_half_a_character_is_no_crash(client: TestClient) -> None:
    response = client.post("/api/chat", content=b'{"question": "\\ud83d"}', headers=JSON)
    assert response.status_code in (200, 400), response.text


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream", "/api/feedback", "/v1/chat/completions"])
def test_a_body_of_two_megabytes_is_refused(client: TestClient, path: str) -> None:
    body = json.dumps({"question": "问", "padding": "x" * (2 << 20)}).encode()
    assert_error_shape(client.post(path, content=body, headers=JSON), 413, "body_too_large")


def test_a_body_without_a_length_is_counted_too(client: TestClient) -> None:
    pieces = (b"x" * 65_536 for _ in range(40))
    assert_error_shape(client.post("/api/chat", content=pieces, headers=JSON), 413, "body_too_large")


@pytest.mark.parametrize("identifier", ["absent", "a\u0000b", "'; DROP TABLE turns; --", "…"])
def test_an_unknown_conversation_is_not_found(client: TestClient, identifier: str) -> None:
    body = {"question": "怎么退货？", "conversation_id": identifier}
    assert_error_shape(client.post("/api/chat", json=body), 404, "not_found")
    assert_error_shape(client.post("/api/chat/stream", json=body), 404, "not_found")
    assert_error_shape(client.post("/api/handoff", json={"conversation_id": identifier}), 404, "not_found")


def test_a_thumb_for_an_unknown_turn_is_not_found(client: TestClient) -> None:
    assert_error_shape(client.post("/api/feedback", json={"turn_id": "absent", "rating": "up"}), 404, "not_found")


def test_a_thumb_in_another_direction_is_refused(client: TestClient) -> None:
    response = client.post("/api/feedback", json={"turn_id": "absent", "rating": "sideways"})
    assert_error_shape(response, 400, "invalid_request")


def test_an_unknown_stream_is_not_found(client: TestClient) -> None:
    assert_error_shape(client.get("/api/chat/stream/absent"), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api", "/api/nowhere", "/page/absent.js", "/v1/nowhere", "/page/../app.py"]
)
def test_an_unknown_path_is_not_found(client: TestClient, path: str) -> None:
    assert_error_shape(client.get(path), 404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/chat"), ("DELETE", "/api/feedback"), ("PUT", "/healthz")])
def test_a_wrong_method_is_refused(client: TestClient, method: str, path: str) -> None:
    assert_error_shape(client.request(method, path), 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
def test_a_crash_says_nothing_of_itself(site: Site, open_client: Callable[[], TestClient], path: str) -> None:
    site.knowledge = StubKnowledge(failure=ValueError("the secret is hunter2"))
    response = open_client().post(path, json={"question": "怎么退货？"})
    assert_error_shape(response, 500, "internal_error")
    assert "hunter2" not in response.text


def test_an_answer_that_crashes_in_the_middle_ends_with_an_error_event(
    site: Site, open_client: Callable[[], TestClient]
) -> None:
    site.knowledge.confidence = 0.6
    site.local = ScriptedModel("签收后7天内可以，", "申", ValueError("the secret is hunter2"))
    response = open_client().post("/api/chat/stream", json={"question": "退货有什么规定？"})
    last = read_events(response.text)[-1]
    assert (response.status_code, last.name, last.id) == (200, "error", None)
    assert set(last.data["error"]) == {"type", "message", "request_id"}
    assert last.data["error"]["type"] == "internal_error"
    assert "hunter2" not in response.text


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RequestError(418, "teapot", "no coffee"), 418, "teapot"),
        (QuestionRejected("empty_question", "the question is empty"), 400, "empty_question"),
        (NotFound("there is no turn"), 404, "not_found"),
        (UnknownModel("no such model"), 404, "not_found"),
        (ModelBusy(3, 9), 503, "busy"),
        (OperationalError("hunter2", None, Exception("the database is locked")), 503, "database_unavailable"),
        (RemoteModelError("hunter2"), 503, "model_unavailable"),
        (ModelError("hunter2"), 503, "model_unavailable"),
        (IndexUnavailable("nothing has been published"), 409, "nothing_published"),
        (ValueError("hunter2"), 500, "internal_error"),
    ],
)
def test_every_exception_has_its_status(error: Exception, status: int, kind: str) -> None:
    given_status, given_kind, message, _ = describe(error)
    assert (given_status, given_kind) == (status, kind)
    assert "hunter2" not in message


def test_who_is_shed_is_told_when_to_come_back() -> None:
    assert describe(ModelBusy(3, 9))[3] == {"Retry-After": "9"}
