"""The database is locked or its disk is full while customers ask: they are told so kindly, and nothing is restarted.

A PostgreSQL that is stopped and started is the subject of the replicas' tests.
"""

from __future__ import annotations

import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scenarios.conftest import Served, served
from tests.scenarios.faults.chance import SECONDS_AWAY, rows
from tests.scenarios.faults.conftest import WORDS_ONLY

INVOICE = {"question": "怎么开发票", "language": "zh"}


@pytest.fixture
def server(home: Path) -> Iterator[Served]:
    with served(home, **WORDS_ONLY) as server:
        yield server


def ask(client: httpx.Client, message: str) -> httpx.Response:
    return client.post("/api/chat", json={**INVOICE, "message_id": message})


def until_answered(client: httpx.Client, message: str) -> dict[str, Any]:
    """Send a message until it is answered, as a client does that was told to come back."""
    deadline = time.monotonic() + 60
    while (reply := ask(client, message)).status_code != 200:
        assert_is_refused_kindly(reply)
        assert time.monotonic() < deadline, reply.text
        time.sleep(0.2)
    return dict(reply.json())


def assert_is_refused_kindly(reply: httpx.Response) -> None:
    assert reply.status_code == 503, reply.text
    assert reply.headers["Retry-After"]
    assert reply.json()["error"]["message"].startswith("抱歉"), reply.text


def assert_answered_once(home: Path, *messages: str) -> None:
    kept = rows(home, "SELECT message_id, count(*), count(outcome) FROM turns GROUP BY message_id")
    assert {name: counts for name, *counts in kept} == {name: [1, 1] for name in messages}


def test_a_database_that_another_program_has_locked_is_waited_for(server: Served) -> None:
    with server.client as client, closing(sqlite3.connect(server.home / "data" / "frontdesk.db")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        unlocking = threading.Timer(SECONDS_AWAY, lambda: None)
        replies: list[dict[str, Any]] = []
        asking = threading.Thread(target=lambda: replies.append(until_answered(client, "locked")))
        asking.start()
        unlocking.start()
        unlocking.join()
        assert client.get("/healthz").status_code == 200
        other.execute("ROLLBACK")
        asking.join()
    assert replies[0]["outcome"] == "direct"
    assert_answered_once(server.home, "locked")


def limit_files(server: Served, size: int) -> None:
    """Let the server write no byte beyond `size` in any file; what a full disk does, without a disk of its own."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_loses_nothing_and_is_over_once_there_is_room(server: Served) -> None:
    with server.client as client:
        before = ask(client, "before").json()
        limit_files(server, 0)
        refused = [ask(client, f"full-{number}") for number in range(5)]
        assert client.get("/healthz").status_code == 200
        limit_files(server, resource.RLIM_INFINITY)
        for reply in refused:
            assert_is_refused_kindly(reply)
        after = [until_answered(client, f"full-{number}") for number in range(5)]
        assert ask(client, "before").json()["turn_id"] == before["turn_id"]
    assert {answer["answer"] for answer in after} == {before["answer"]}
    assert_answered_once(server.home, "before", *(f"full-{number}" for number in range(5)))
    assert rows(server.home, "PRAGMA integrity_check") == [("ok",)]
