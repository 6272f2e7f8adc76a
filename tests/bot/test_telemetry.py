from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import structlog
from fastapi.testclient import TestClient

from bot.errors import RemoteModelError, SettingsError
from bot.logs import set_up_logging
from bot.question import Question
from bot.sections import TelemetrySettings
from bot.store.database import Database
from bot.telemetry import span, start_telemetry, stop_telemetry, trace_headers
from tests.bot.collector import Collector, collecting
from tests.bot.fakes import ScriptedModel, StubKnowledge, ask, make_desk
from tests.bot.http.conftest import Site

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECRET = "我的电话是13800138000，退货有什么规定？"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Give a collector that is sent what happens; `stop_telemetry` sends the last of it."""
    with collecting() as collector:
        start_telemetry(TelemetrySettings(endpoint=collector.address))
        yield collector
        stop_telemetry()


@pytest.fixture
def site(new_url: str) -> Site:
    return Site(new_url, StubKnowledge(0.6), ScriptedModel("签收后7天内可以申请退货，", "运费12元由买家承担。"))


@pytest.fixture
def open_client(site: Site) -> Iterator[Callable[[], TestClient]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(TestClient(site.app(), raise_server_exceptions=False))


def test_a_request_is_one_tree_below_its_callers_span(
    collector: Collector, open_client: Callable[[], TestClient]
) -> None:
    client = open_client()
    answer = client.post("/api/chat", json={"question": SECRET}, headers={"traceparent": CALLER}).json()
    client.get("/healthz")
    stop_telemetry()
    request, question, generate = (collector.one(name) for name in ("POST", "question", "generate"))
    assert {each.trace_id for each in collector.spans} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
    assert (request.parent_id, request.kind) == ("00f067aa0ba902b7", 2)
    assert (question.parent_id, generate.parent_id) == (request.span_id, question.span_id)
    assert question.facts["frontdesk.outcome"] == answer["outcome"] == "grounded"
    assert question.facts["frontdesk.confidence"] == 0.6
    assert question.facts["frontdesk.entry"] == "RET-1"
    assert question.facts["frontdesk.turn"] == answer["turn_id"]
    assert (generate.facts["gen_ai.request.model"], generate.facts["gen_ai.usage.output_tokens"]) == ("scripted", 2)
    assert {"frontdesk", "0.1.0"} <= collector.services


def test_nothing_that_anybody_wrote_is_sent(collector: Collector, open_client: Callable[[], TestClient]) -> None:
    client = open_client()
    client.post("/api/chat", json={"question": SECRET})
    client.post("/api/chat", json={"question": "转人工"})
    stop_telemetry()
    assert collector.one("handoff").facts["frontdesk.outcome"] == "handoff"
    for words in ("13800138000", "退货", "运费", "转人工"):
        assert words.encode() not in collector.raw


async def test_a_failure_is_marked_by_its_kind_and_leaves_nothing_behind(
    collector: Collector, database: Database
) -> None:
    remote = ScriptedModel(RemoteModelError("it said: 13800138000"))
    answer, _ = await ask(make_desk(database, StubKnowledge(0.1), remote=remote), "量子力学是什么？")
    assert trace_headers() == {}
    stop_telemetry()
    escalate, question = collector.one("escalate"), collector.one("question")
    assert (escalate.error, escalate.kind, escalate.parent_id) == ("RemoteModelError", 3, question.span_id)
    assert (question.error, question.parent_id, question.facts["frontdesk.outcome"]) == ("", "", answer.outcome)
    assert b"13800138000" not in collector.raw


async def test_an_answer_whose_reader_leaves_is_sent_too(collector: Collector, database: Database) -> None:
    events = make_desk(database).answer(Question(text="怎么退货？"))
    await anext(events)
    await events.aclose()
    assert trace_headers() == {}
    stop_telemetry()
    assert collector.one("question").error == ""


def test_lines_of_the_log_name_the_trace_they_belong_to(
    collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("info", as_json=True)
    with span("search"):
        structlog.get_logger().info("inside")
        headers = trace_headers()
    structlog.get_logger().info("outside")
    stop_telemetry()
    inside, outside = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    seen = collector.one("search")
    assert (inside["trace_id"], inside["span_id"]) == (seen.trace_id, seen.span_id)
    assert headers["traceparent"].startswith(f"00-{seen.trace_id}-{seen.span_id}-")
    assert "trace_id" not in outside


async def test_without_an_endpoint_nothing_is_there_to_cost_anything(database: Database) -> None:
    start_telemetry(TelemetrySettings())
    desk = make_desk(database)
    assert desk.answer(Question(text="怎么退货？")).ag_code.co_name == "answer"
    assert span("search") is span("embed")
    assert trace_headers() == {}


def test_without_the_extra_it_says_in_one_line_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match=r"pip install 'frontdesk-bot\[telemetry\]'") as failure:
        start_telemetry(TelemetrySettings(endpoint="http://127.0.0.1:9"))
    assert "\n" not in str(failure.value)


def test_a_collector_that_is_away_holds_nothing_up(capsys: pytest.CaptureFixture[str]) -> None:
    start_telemetry(TelemetrySettings(endpoint="http://127.0.0.1:9"))
    with span("search"):
        pass
    stop_telemetry()
    assert "Traceback" not in capsys.readouterr().err
