"""The process as an operator meets it: started, killed, started again, asked to stop."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.scenarios.conftest import COMMAND, SHOP, Served, environment, run, served

NO_MODELS = {"FRONTDESK_MODELS__CHAT": ""}
"""For tests that need no worded answer: starting takes a second less."""


def test_a_busy_port_is_said_in_one_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run(home, "serve", "--port", str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "choose another" in result.stderr


def test_an_answer_that_was_killed_is_answered_once_after_the_restart(home: Path) -> None:
    body = {"question": "预购的餐边柜 尾款付完多久出货", "message_id": "m-1"}
    with served(home) as server:
        with server.client as client, client.stream("POST", "/api/chat/stream", json=body) as reply:
            next(reply.iter_lines())  # the answer has begun
            server.stop(signal.SIGKILL)
    with served(home) as server, server.client as client:
        first = client.post("/api/chat", json=body).json()
        second = client.post("/api/chat", json=body).json()
    assert first["answer"]
    assert (first["turn_id"], first["answer"]) == (second["turn_id"], second["answer"])


def test_what_was_answered_before_a_kill_is_still_there(home: Path) -> None:
    body = {"question": "怎么开发票", "message_id": "m-2"}
    with served(home, **NO_MODELS) as server:
        with server.client as client:
            before = client.post("/api/chat", json=body).json()
        server.stop(signal.SIGKILL)
    with served(home, **NO_MODELS) as server, server.client as client:
        after = client.post("/api/chat", json=body).json()
    assert after["turn_id"] == before["turn_id"]
    assert after["answer"] == before["answer"]


def test_an_import_killed_at_any_moment_leaves_the_old_state_or_the_new(home: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    rows = "".join(f"NEW-{number},新的问题{number}怎么办,回答{number}。\n" for number in range(2_000))
    more.write_text("编号,问题,答案\n" + rows, encoding="utf-8")
    for delay in (0.6, 1.2, 1.8, 2.4):
        process = subprocess.Popen(
            [*COMMAND, "faq", "import", str(more), "--kb", "shop"],
            cwd=home,
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        process.kill()
        process.wait()
        listed = run(home, "faq", "list", "--kb", "shop", "--json").stdout.splitlines()
        assert len(listed) in (138, 2_138)


def test_a_stop_lets_the_running_answer_finish(home: Path) -> None:
    body = {"question": "预购的餐边柜 尾款付完多久出货"}
    with served(home) as server:
        with server.client as client, client.stream("POST", "/api/chat/stream", json=body) as reply:
            lines = reply.iter_lines()
            next(lines)
            server.process.send_signal(signal.SIGTERM)
            assert "event: done" in list(lines)
        assert server.process.wait(timeout=30) in (0, -signal.SIGTERM)


def test_what_is_imported_reaches_a_running_server(home: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text("问题,答案\n你们卖飞机票吗,我们不卖飞机票。\n", encoding="gb18030")
    with served(home, **NO_MODELS) as server, server.client as client:
        assert run(home, "faq", "import", str(new), "--kb", "shop").returncode == 0
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            answer = client.post("/api/chat", json={"question": "你们卖飞机票吗"}).json()
            if answer["outcome"] == "direct":
                break
            time.sleep(0.2)
    assert answer["answer"] == "我们不卖飞机票。"


def test_without_any_model_it_starts_answers_and_says_so(tmp_path: Path) -> None:
    nothing = {"FRONTDESK_MODELS_DIR": str(tmp_path / "no-models")}
    assert run(tmp_path, "faq", "import", str(SHOP), "--kb", "shop", **nothing).returncode == 0
    with served(tmp_path, **nothing) as server, server.client as client:
        direct = client.post("/api/chat", json={"question": "怎么修改收货地址"}).json()
        unsure = client.post("/api/chat", json={"question": "那个运费谁出呀"}).json()
        ready = client.get("/readyz")
    assert (direct["outcome"], unsure["outcome"]) in {("direct", "clarify"), ("clarify", "clarify")}
    assert ready.status_code == 200
    assert ready.json()["chat_model"] is None
    assert len(ready.json()["problems"]) == 2
    assert "frontdesk models pull" in (tmp_path / "serve.log").read_text()


@pytest.mark.xdist_group("shop")
def test_a_grounded_answer_uses_the_prefix_of_the_one_before(shop: Served) -> None:
    with shop.client as client:
        first = client.post("/api/chat", json={"question": "买一双筷子和一个碗 要付多少邮费啊"}).json()
        second = client.post("/api/chat", json={"question": "买一双筷子和一个碗 要付多少邮费呢"}).json()
    assert first["citations"][0]["key"] == second["citations"][0]["key"]
    assert second["usage"]["cached"] > second["usage"]["prompt"] / 2


@pytest.mark.xdist_group("shop")
@pytest.mark.parametrize(
    "path", ["/", "/page/chat.js", "/page/chat.css", "/docs", "/openapi.json", "/metrics", "/healthz"]
)
def test_every_page_is_there(shop: Served, path: str) -> None:
    assert httpx.get(shop.url + path).status_code == 200
