"""What is known about one request in all that the log says of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from bot.logs import set_up_logging
from tests.bot.fakes import ScriptedModel
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import read_events

Open = Callable[[], TestClient]


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize("given", ["a", "0123456789abcdef", "3f0c7d0e-1f6b-4c39-9d0e-6f0c3c1d2b11", "A._-" * 16])
def test_an_identifier_that_a_caller_gives_is_kept(client: TestClient, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given",
    [b"", b"x" * 65, b"a b", b"a\x0b", "退货".encode(), b"a;b", b"a%0d%0aSet-Cookie: x=1", b"\x1b[31m", b"a\tb", b"{}"],
)
def test_one_that_could_not_stand_in_a_header_or_a_log_is_replaced(client: TestClient, given: bytes) -> None:
    response = client.get("/healthz", headers=[(b"X-Request-ID", given)])
    assert response.headers["X-Request-ID"].isalnum()
    assert len(response.headers["X-Request-ID"]) == 16
    assert "Set-Cookie" not in response.headers


def test_each_line_of_a_request_carries_it(site: Site, open_client: Open, capsys: pytest.CaptureFixture[str]) -> None:
    site.knowledge.confidence, site.local = 0.6, ScriptedModel("这和所给的条目没有任何关系，完全是编造的。")
    client = open_client()
    set_up_logging("info", as_json=True)
    body = {"question": "退货有什么规定？"}
    response = client.post("/api/chat/stream", json=body, headers={"X-Request-ID": "r-1"})
    done = read_events(response.text)[-1].data
    client.get("/nowhere", headers={"X-Request-ID": "r-2"})
    lines = logged(capsys)
    failed = next(line for line in lines if line["event"] == "grounding check failed")
    assert (failed["request_id"], failed["turn"]) == ("r-1", done["turn_id"])
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["request_id"], line["path"], line["status"]) for line in requests] == [
        ("r-1", "/api/chat/stream", 200),
        ("r-2", "/nowhere", 404),
    ]


def test_a_failure_names_the_request_that_its_caller_was_told(
    site: Site, open_client: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    client = open_client()
    site.knowledge.failure = RuntimeError("crash")
    set_up_logging("info", as_json=True)
    response = client.post("/api/chat", json={"question": "怎么退货？"}, headers={"X-Request-ID": "r-3"})
    assert (response.status_code, response.json()["error"]["request_id"]) == (500, "r-3")
    [crash] = [line for line in logged(capsys) if line["event"] == "request crashed"]
    assert (crash["request_id"], "RuntimeError" in str(crash["exception"])) == ("r-3", True)
