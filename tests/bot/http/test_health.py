from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from bot.published import Progress
from bot.store.database import Database
from tests.bot.fakes import ScriptedModel, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape

Open = Callable[[], TestClient]


def test_a_process_that_runs_is_alive(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_it_is_ready_while_questions_can_be_answered(site: Site, open_client: Open) -> None:
    site.local = ScriptedModel()
    response = open_client().get("/readyz")
    body = response.json()
    assert (response.status_code, body["ready"], body["problems"]) == (200, True, [])
    assert (body["chat_model"], body["entries"], body["database"]) == ("scripted", 4, "ok")


def test_with_nothing_published_it_is_not_ready(site: Site, open_client: Open) -> None:
    site.knowledge.is_ready = False
    response = open_client().get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (503, False)
    assert response.json()["problems"] == ["nothing has been published; run: frontdesk faq import FILE"]


def test_a_problem_that_is_over_is_not_named_any_more(site: Site, open_client: Open) -> None:
    site.problems, site.knowledge.is_ready = ("searching by words only: no model",), False
    client = open_client()
    assert len(client.get("/readyz").json()["problems"]) == 2
    site.knowledge.is_ready = True
    assert client.get("/readyz").json()["problems"] == ["searching by words only: no model"]


def test_of_several_bots_the_one_without_knowledge_is_named(site: Site, open_client: Open) -> None:
    site.settings, site.bots = {"bots": {"bank": {}}}, {"bank": StubKnowledge()}
    site.bots["bank"].is_ready = False
    response = open_client().get("/readyz")
    assert (response.status_code, "for bank" in response.json()["problems"][0]) == (503, True)


def test_without_its_database_it_is_not_ready(site: Site, open_client: Open) -> None:
    site.url, site.settings = "sqlite+aiosqlite:////proc/nowhere/frontdesk.db", {"visitors": {"secret": "given"}}
    response = open_client().get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "unreachable")
    assert "the database cannot be reached" in response.json()["problems"]


def test_a_larger_model_that_is_left_alone_is_named(site: Site, open_client: Open) -> None:
    site.remote = ScriptedModel()
    site.remote.available = False
    response = open_client().get("/readyz")
    assert response.status_code == 200
    assert "remote model" in response.json()["problems"][0]


def test_a_new_index_on_its_way_is_a_note_and_no_problem(site: Site, open_client: Open) -> None:
    site.knowledge.progress = Progress(1_200, 4_000)
    body = open_client().get("/readyz").json()
    assert (body["ready"], body["problems"]) == (True, [])
    assert body["notes"] == ["a new index is being built, 1,200 of 4,000 texts are embedded"]


def test_a_server_that_shall_stop_is_alive_and_not_ready(site: Site, open_client: Open) -> None:
    client = open_client()
    client.app.state.drain.begin()  # type: ignore[attr-defined]
    response = client.get("/readyz")
    assert (response.status_code, response.json()["draining"]) == (503, True)
    assert "asked to stop" in response.json()["problems"][-1]
    assert client.get("/healthz").status_code == 200
    refused = client.post("/api/chat", json={"question": "怎么退货？"})
    assert_error_shape(refused, 503, "stopping")
    assert refused.headers["Retry-After"] == "5"


def test_a_database_that_hangs_is_said_to_be_away(
    site: Site, open_client: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: Database) -> bool:
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(Database, "_ask", hang)
    monkeypatch.setattr("bot.http.health.DATABASE_SECONDS", 0.05)
    client = open_client()
    assert [client.get("/readyz").json()["database"] for _ in range(2)] == ["unreachable"] * 2


def counted(client: TestClient, line: str) -> float:
    match = re.search(rf"^{re.escape(line)} ([\d.e+]+)$", client.get("/metrics").text, re.MULTILINE)
    return float(match[1]) if match else 0.0


def test_answers_are_counted_by_outcome(client: TestClient) -> None:
    line = 'frontdesk_answers_total{degraded="false",outcome="direct"}'
    before = counted(client, line)
    client.post("/api/chat", json={"question": "怎么退货？"})
    assert counted(client, line) == before + 1


def test_an_answer_that_is_read_twice_is_counted_once(client: TestClient) -> None:
    line = 'frontdesk_answers_total{degraded="false",outcome="direct"}'
    before = counted(client, line)
    for _ in range(2):
        client.post("/api/chat", json={"question": "怎么退货？", "message_id": "m-1"})
    assert counted(client, line) == before + 1


def test_requests_are_counted_by_status(client: TestClient) -> None:
    line = 'frontdesk_http_requests_total{method="GET",status="404"}'
    before = counted(client, line)
    client.get("/nowhere")
    assert counted(client, line) == before + 1
