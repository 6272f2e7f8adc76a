"""A server that is asked to stop while customers are being answered."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.scenarios.conftest import Served, served

NO_MODELS = {"FRONTDESK_MODELS__CHAT": "", "FRONTDESK_MODELS__EMBEDDING": "none.gguf"}
"""For tests that need no worded answer: starting takes a second or two less."""

WORDED = {"question": "预购的餐边柜 尾款付完多久出货"}


@contextmanager
def half_a_request(server: Served) -> Iterator[socket.socket]:
    """Begin a request and do not end it, so that the server has something to wait for."""
    place = urlsplit(server.url)
    body = json.dumps({"conversation_id": "none"})
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60) as connection:
        head = f"POST /api/handoff HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body[:-1]}".encode())
        time.sleep(0.2)  # until it has begun there, which nothing shows
        yield connection


def until_not_ready(server: Served) -> httpx.Response:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        response = httpx.get(f"{server.url}/readyz")
        if response.status_code != 200:
            return response
    raise AssertionError("it is still ready")


def log_of(server: Served) -> str:
    return (server.home / "serve.log").read_text()


def test_running_answers_end_and_new_questions_are_refused_kindly(home: Path) -> None:
    patient = {"FRONTDESK_SERVER__DRAIN_SECONDS": "600"}
    with served(home, **patient) as server, server.client as client, half_a_request(server) as connection:
        conversation = client.post("/api/chat", json={"question": "怎么开发票"}).json()["conversation_id"]
        followed = client.stream("GET", f"/api/conversations/{conversation}/events")
        with followed as follower, client.stream("POST", "/api/chat/stream", json=WORDED) as reply:
            heard, lines = follower.iter_lines(), reply.iter_lines()
            assert next(heard) == "event: handoff"
            next(lines)
            server.process.send_signal(signal.SIGTERM)
            not_ready = until_not_ready(server)
            zh = httpx.post(f"{server.url}/api/chat", json={"question": "怎么退货？"})
            en = httpx.post(f"{server.url}/api/chat/stream", json={"question": "How do I return it?"})
            messages = [{"role": "user", "content": "怎么退货？"}]
            body = {"model": "frontdesk", "messages": messages, "stream": True}
            openai = httpx.post(f"{server.url}/v1/chat/completions", json=body)
            alive = httpx.get(f"{server.url}/healthz")
            gauges = httpx.get(f"{server.url}/metrics").text
            assert "event: done" in list(lines)
            list(heard)  # it ends
        assert server.process.poll() is None
        connection.sendall(b"}")
        assert connection.recv(100).startswith(b"HTTP/1.1 404")
        assert server.process.wait(timeout=30) == 0
    assert (not_ready.status_code, not_ready.json()["draining"], alive.status_code) == (503, True, 200)
    for refused, sentence in ((zh, "请几秒后再发一次"), (en, "again in a few seconds"), (openai, "请几秒后再发一次")):
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert refused.json()["error"]["type"] == "stopping"
        assert sentence in refused.json()["error"]["message"]
    assert "frontdesk_draining 1.0" in gauges
    assert "Traceback" not in log_of(server)
    assert not list((home / "data").glob("frontdesk.db-*"))  # closed in order


def test_an_answer_that_takes_too_long_is_given_up_with_a_kind_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as remote:  # a larger model that never says anything
        address = f"http://127.0.0.1:{remote.getsockname()[1]}/v1"
        settings = {**NO_MODELS, "FRONTDESK_REMOTE__BASE_URL": address, "FRONTDESK_SERVER__DRAIN_SECONDS": "0"}
        with served(home, **settings) as server, ThreadPoolExecutor(1) as thread:
            body = {"question": "量子力学是什么意思？", "message_id": "m-1"}
            asked = thread.submit(lambda: httpx.post(f"{server.url}/api/chat", json=body, timeout=60))
            connection, _ = remote.accept()
            with connection:
                server.process.send_signal(signal.SIGTERM)
                refused = asked.result()
            assert server.process.wait(timeout=30) == 0
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "请几秒后再发一次" in refused.json()["error"]["message"]
    assert "Traceback" not in log_of(server)


@pytest.mark.parametrize("patience", ["0.3", "600"])
def test_stopping_is_bounded_by_a_setting_and_by_a_second_signal(home: Path, patience: str) -> None:
    with served(home, **NO_MODELS, FRONTDESK_SERVER__DRAIN_SECONDS=patience) as server, half_a_request(server):
        server.process.send_signal(signal.SIGTERM)
        if patience == "600":
            until_not_ready(server)
            assert server.stop(signal.SIGTERM) == -signal.SIGTERM
        assert server.process.wait(timeout=30) == (-signal.SIGTERM if patience == "600" else 0)
