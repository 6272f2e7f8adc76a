"""kill -9 at random moments: what was acknowledged is there after the restart, and nothing is there twice."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

from tests.scenarios.conftest import COMMAND, Served, environment, run, served
from tests.scenarios.console import Console
from tests.scenarios.faults.chance import alternately, chance, rounds, rows
from tests.scenarios.faults.conftest import WORDS_ONLY

QUESTIONS = ("怎么开发票", "怎么修改收货地址", "退货运费谁出", "你们的老板是谁", "转人工")
ENTRIES = 200
NEWEST = """SELECT json_extract(entry, '$.answer') FROM release_entries JOIN releases ON releases.id = release_id
WHERE json_extract(entry, '$.key') = ? ORDER BY number DESC LIMIT 1"""
MOST = 20
"""A kill comes after no more acknowledgements than these."""


@dataclass
class Acknowledged:
    """What a server has said it did."""

    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Turn and text by message."""
    handoffs: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    """Every message that was sent, answered or not."""


def customers(server: Served, chance: random.Random, acknowledged: Acknowledged) -> list[threading.Thread]:
    """Have three customers ask, and call people, until the server is gone."""

    def customer(mind: random.Random) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            try:
                while True:
                    message = uuid4().hex
                    acknowledged.asked.add(message)
                    body = {"question": mind.choice(QUESTIONS), "message_id": message}
                    answer = client.post("/api/chat", json=body).raise_for_status().json()
                    acknowledged.answers[message] = answer["turn_id"], answer["answer"]
                    if answer["handoff"] == "waiting":
                        acknowledged.handoffs.add(answer["conversation_id"])
                    elif mind.random() < 0.3:
                        called = {"conversation_id": answer["conversation_id"]}
                        client.post("/api/handoff", json=called).raise_for_status()
                        acknowledged.handoffs.add(answer["conversation_id"])
            except httpx.TransportError:
                return

    threads = [threading.Thread(target=customer, args=(random.Random(chance.random()),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    return threads


def kill_later(server: Served, chance: random.Random, done: Callable[[], int]) -> threading.Thread:
    """Kill a server once it has acknowledged some more, and a moment has passed."""
    until, pause = done() + chance.randrange(1, MOST), chance.uniform(0, 0.1)

    def kill() -> None:
        deadline = time.monotonic() + 120
        while done() < until and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(pause)
        server.stop(signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    return killing


def test_no_answer_and_no_call_for_a_person_is_lost_or_doubled(home: Path) -> None:
    moments, acknowledged = chance(), Acknowledged()
    for _ in rounds(2):
        with served(home, **WORDS_ONLY) as server:
            asking = customers(server, moments, acknowledged)
            for thread in (kill_later(server, moments, lambda: len(acknowledged.answers)), *asking):
                thread.join()
    with served(home, **WORDS_ONLY) as server, server.client as client:
        for message in acknowledged.asked:
            answer = client.post("/api/chat", json={"question": QUESTIONS[0], "message_id": message}).json()
            assert answer["answer"]
            if message in acknowledged.answers:
                assert (answer["turn_id"], answer["answer"]) == acknowledged.answers[message]
    kept = rows(home, "SELECT message_id, count(*), count(outcome) FROM turns GROUP BY message_id")
    assert {message: counts for message, *counts in kept} == {message: [1, 1] for message in acknowledged.asked}
    waiting = {name for (name,) in rows(home, "SELECT id FROM conversations WHERE handoff = 'waiting'")}
    calls = rows(home, "SELECT conversation_id, count(*) FROM handoffs GROUP BY conversation_id")
    assert acknowledged.handoffs <= waiting
    assert {name for name, _ in calls} == waiting
    assert {count for _, count in calls} <= {1}
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]


def write_faq(path: Path, answer: str) -> Path:
    lines = [f"K-{number},第{number}号商品怎么保养,{answer}{number}\n" for number in range(ENTRIES)]
    path.write_text("编号,问题,答案\n" + "".join(lines), encoding="utf-8")
    return path


def test_an_import_is_whole_or_has_not_been(tmp_path: Path) -> None:
    """The fixed moments of test_process.py cover adding; here every entry changes, and the release with it."""
    moments = chance()
    files = [write_faq(tmp_path / f"{answer}.csv", answer) for answer in ("甲", "乙")]
    begun = time.monotonic()
    for file in files:
        assert run(tmp_path, "faq", "import", str(file), "--kb", "shop", **WORDS_ONLY).returncode == 0
    duration = (time.monotonic() - begun) / len(files)
    for _, file in zip(rounds(2), alternately(*files), strict=False):
        process = subprocess.Popen(
            [*COMMAND, "faq", "import", str(file), "--kb", "shop"],
            cwd=tmp_path,
            env=environment(tmp_path, **WORDS_ONLY),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0.5 * duration, duration))
        process.kill()
        process.wait()
        edited = [answer[0] for (answer,) in rows(tmp_path, "SELECT answer FROM entries")]
        assert (len(edited), len(set(edited))) == (ENTRIES, 1)
        for (release,) in rows(tmp_path, "SELECT id FROM releases"):
            released = rows(
                tmp_path, "SELECT json_extract(entry, '$.answer') FROM release_entries WHERE release_id = ?", release
            )
            assert (len(released), len({answer[0] for (answer,) in released})) == (ENTRIES, 1)
    assert run(tmp_path, "faq", "import", str(files[0]), "--kb", "shop", **WORDS_ONLY).returncode == 0
    assert {answer[0] for (answer,) in rows(tmp_path, "SELECT answer FROM entries")} == {"甲"}


def test_what_was_published_answers_after_the_kill(home: Path) -> None:
    """An entry is changed and published, again and again; the customer is told what was last acknowledged, or newer."""
    moments, said, published = chance(), 0, [0]
    entry = {"question": "你们有几家分店", "answer": "0 家。", "language": "zh"}
    with served(home, **WORDS_ONLY) as server:
        console = Console.begin(server)
        with console.api as api:
            added = api.post("knowledge-bases/shop/entries", json={"key": "BRANCHES", **entry})
            assert added.status_code == 201, added.text
            assert api.post("knowledge-bases/shop/releases", json={}).status_code == 201
    for _ in rounds(2):
        with served(home, **WORDS_ONLY) as server:
            console.server = server
            killing = kill_later(server, moments, lambda: len(published))
            with console.api as api, suppress(httpx.TransportError):
                while True:
                    said += 1
                    entry["answer"] = f"{said} 家。"
                    api.put("knowledge-bases/shop/entries/BRANCHES", json=entry).raise_for_status()
                    api.post("knowledge-bases/shop/releases", json={"note": str(said)}).raise_for_status()
                    published.append(said)
            killing.join()
        with served(home, **WORDS_ONLY) as server, server.client as client:
            answer = client.post("/api/chat", json={"question": entry["question"]}).json()
            assert answer["candidates"][0]["key"] == "BRANCHES"
        [(text,)] = rows(home, NEWEST, "BRANCHES")
        assert published[-1] <= int(text.split()[0]) <= said
    numbers = [number for (number,) in rows(home, "SELECT number FROM releases ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]
