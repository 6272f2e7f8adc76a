"""The dashboard's numbers over HTTP; what they count is tested with the store."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from bot.accounts import Role
from bot.days import today
from tests.bot.http.shapes import assert_error_shape

STATISTICS = "/api/admin/statistics"


def ask(client: TestClient) -> None:
    reply = client.post("/api/chat", json={"question": "怎么退货？"})
    assert reply.status_code == 200
    client.post("/api/feedback", json={"turn_id": reply.json()["turn_id"], "rating": "up"})


def test_the_dashboard_has_everything_of_the_last_30_days(owner: TestClient) -> None:
    ask(owner)
    body = owner.get(STATISTICS).json()
    assert set(body) == {"totals", "days", "channels", "top_questions", "top_unanswered"}
    totals, days = body["totals"], body["days"]
    assert totals.pop("latency_p50_ms") == totals.pop("latency_p90_ms") > 0
    assert totals == {
        "conversations": 1,
        "questions": 1,
        "self_service_rate": 1.0,
        "handoffs": 0,
        "escalated": 0,
        "feedback_up": 1,
        "feedback_down": 0,
        "prompt_tokens_remote": 0,
        "completion_tokens_remote": 0,
    }
    assert len(days) == 30
    assert days[-1]["date"] == today().isoformat()
    assert days[-1]["outcomes"]["direct"] == 1
    assert set(days[0]) == {
        "date", "conversations", "questions", "outcomes", "latency_p50_ms", "latency_p90_ms", "up", "down",
    }  # fmt: skip
    assert body["channels"] == [{"channel": "web", "questions": 1}]
    assert body["top_questions"] == [
        {"knowledge_base": "default", "key": "RET-1", "question": "怎么退货？", "count": 1}
    ]


def test_days_and_channel_are_chosen(owner: TestClient) -> None:
    ask(owner)
    start, end = today() - timedelta(days=1), today() + timedelta(days=1)
    body = owner.get(STATISTICS, params={"start": start, "end": end, "channel": "slack"}).json()  # type: ignore[dict-item]
    assert (len(body["days"]), body["totals"]["questions"], len(body["channels"])) == (3, 0, 1)


@pytest.mark.parametrize(
    "query",
    [
        "start=2026-03-02&end=2026-03-01",
        "start=2025-01-01&end=2026-03-01",
        "start=yesterday",
        "end=9999-12-31",
        "start=0001-01-01&end=0001-01-01",
        "channel=",
    ],
)
@pytest.mark.parametrize("path", [STATISTICS, f"{STATISTICS}.csv"])
def test_days_that_cannot_be_counted_are_refused(owner: TestClient, path: str, query: str) -> None:
    assert_error_shape(owner.get(f"{path}?{query}"), 400, "invalid_request")


def test_the_days_are_exported_for_excel(owner: TestClient) -> None:
    ask(owner)
    reply = owner.get(f"{STATISTICS}.csv", params={"start": today().isoformat()})
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.headers["Content-Disposition"] == f'attachment; filename="frontdesk-{today()}-{today()}.csv"'
    assert reply.content.startswith(b"\xef\xbb\xbfdate,")
    (row,) = csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"), newline=""))
    assert (row["date"], row["questions"], row["direct"], row["refused"], row["up"]) == (
        today().isoformat(), "1", "1", "0", "1",
    )  # fmt: skip


@pytest.mark.parametrize("path", [STATISTICS, f"{STATISTICS}.csv"])
def test_everybody_in_the_console_may_look_and_nobody_else(as_role: Callable[[Role], TestClient], path: str) -> None:
    client = as_role("viewer")
    assert client.get(path).status_code == 200
    client.cookies.clear()
    assert_error_shape(client.get(path), 401, "unauthenticated")
