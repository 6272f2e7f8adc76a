from __future__ import annotations

import re
from collections.abc import Callable

from fastapi.testclient import TestClient

from tests.bot.fakes import ScriptedModel, StubKnowledge
from tests.bot.http.conftest import Site

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
    site.url = "sqlite+aiosqlite:////proc/nowhere/frontdesk.db"
    response = open_client().get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "unreachable")
    assert "the database cannot be reached" in response.json()["problems"]


def test_a_larger_model_that_is_left_alone_is_named(site: Site, open_client: Open) -> None:
    site.remote = ScriptedModel()
    site.remote.available = False
    response = open_client().get("/readyz")
    assert response.status_code == 200
    assert "remote model" in response.json()["problems"][0]


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
