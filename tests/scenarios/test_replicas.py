"""Two servers on one PostgreSQL, as behind a load balancer that knows nothing of conversations."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import PostgresServer
from tests.scenarios.conftest import SHOP, Served, run, served
from tests.scenarios.console import Console, setup_link

pytestmark = [pytest.mark.xdist_group("replicas"), pytest.mark.timeout(600)]

ARRIVES_SECONDS = 200.0
"""Far longer than anything takes, on a machine that tests keep busy."""

PER_VISITOR = 6
WORDED = "预购的餐边柜 尾款付完多久出货"
SETTINGS = {"FRONTDESK_VISITORS__PER_VISITOR_PER_MINUTE": str(PER_VISITOR)}


@dataclass
class Replicas:
    """Two servers, the settings of a third, and the console's owner."""

    one: Served
    other: Served
    console: Console
    settings: dict[str, str]

    def owner(self, at: Served) -> httpx.Client:
        """The admin API of one of them, with a session that the first has given."""
        return Console(at, self.console.session, self.console.csrf).api


@pytest.fixture(scope="module")
def replicas(
    shop_home: Path, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replicas]:
    with postgres_server.database() as url, ExitStack() as stack:
        settings = {"FRONTDESK_DATABASE_URL": url, **SETTINGS}
        homes = [indexed(shop_home, tmp_path_factory.mktemp("replica")) for _ in range(2)]
        imported = run(homes[0], "faq", "import", str(SHOP), "--kb", "shop", **settings)
        assert imported.returncode == 0, imported.stderr
        with ThreadPoolExecutor(2) as pool:
            starting = [pool.submit(stack.enter_context, served(home, **settings)) for home in homes]
            one, other = (each.result() for each in starting)
        assert setup_link(one.home).rpartition("/")[2] == setup_link(other.home).rpartition("/")[2]
        yield Replicas(one, other, Console.begin(one), settings)


def indexed(shop_home: Path, home: Path) -> Path:
    """Return a folder with the index of the example FAQ, so that it need not be built once more, and nothing else."""
    shutil.copytree(shop_home / "data" / "index", home / "data" / "index")
    return home


def ask(server: Served, question: str, **body: Any) -> dict[str, Any]:
    with server.client as client:
        reply = client.post("/api/chat", json={"question": question, **body})
        assert reply.status_code == 200, reply.text
        return dict(reply.json())


def soon(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + ARRIVES_SECONDS
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.1)


def events_of(lines: Iterator[str]) -> Iterator[tuple[str, str, Any]]:
    identifier = name = ""
    for line in lines:
        kind, _, rest = line.partition(": ")
        if kind == "id":
            identifier = rest
        elif kind == "event":
            name = rest
        elif kind == "data":
            yield identifier, name, json.loads(rest)


def test_one_conversation_alternates_between_them(replicas: Replicas) -> None:
    first = ask(replicas.one, "怎么开发票")
    second = ask(replicas.other, "那运费谁出", conversation_id=first["conversation_id"])
    third = ask(replicas.one, "转人工", conversation_id=first["conversation_id"])
    fourth = ask(replicas.other, "在吗", conversation_id=first["conversation_id"])
    assert {each["conversation_id"] for each in (second, third, fourth)} == {first["conversation_id"]}
    assert second["standalone"]
    assert (third["handoff"], fourth["handoff"]) == ("waiting", "waiting")


def test_a_message_that_reaches_both_at_once_is_answered_once(replicas: Replicas) -> None:
    with ThreadPoolExecutor(4) as pool:
        asked = [
            pool.submit(ask, server, WORDED, message_id="to both")
            for server in (replicas.one, replicas.other, replicas.one, replicas.other)
        ]
        answers = [each.result() for each in asked]
    assert len({answer["turn_id"] for answer in answers}) == 1
    assert len({answer["answer"] for answer in answers}) == 1
    with replicas.owner(replicas.one) as api:
        items = api.get(f"/inbox/{answers[0]['conversation_id']}").json()["items"]
    assert [item["who"] for item in items] == ["customer", "bot"]


def test_a_limit_counts_what_is_asked_of_both(replicas: Replicas) -> None:
    began, admitted = time.monotonic(), 0
    with replicas.one.client as one, replicas.other.client as other:
        token = one.post("/api/visitor", json={}).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        for server in [one, other] * (10 * PER_VISITOR):
            reply = server.post("/api/feedback", json={"turn_id": "none", "rating": "up"}, headers=headers)
            if reply.status_code == 429:
                break
            assert reply.status_code == 404
            admitted += 1
        assert int(reply.headers["Retry-After"]) > 0
    came_back = (time.monotonic() - began) * PER_VISITOR / 60
    assert PER_VISITOR <= admitted <= PER_VISITOR + came_back + 1


def test_a_person_on_one_is_heard_by_a_customer_on_the_other(replicas: Replicas) -> None:
    conversation = ask(replicas.one, "转人工")["conversation_id"]
    with (
        replicas.other.client as client,
        client.stream("GET", f"/api/conversations/{conversation}/events") as reply,
        replicas.owner(replicas.one) as api,
    ):
        events = events_of(reply.iter_lines())
        assert next(events)[2] == {"state": "waiting", "agent": None}
        assert api.post(f"/inbox/{conversation}/take", json={}).status_code == 204
        assert next(events)[2]["state"] == "human"
        assert api.post(f"/inbox/{conversation}/reply", json={"text": "我来帮您"}).status_code == 204
        assert next(events)[2]["text"] == "我来帮您"


def test_what_one_publishes_the_other_answers(replicas: Replicas) -> None:
    entry = {"question": "你们卖飞机票吗", "answer": "我们不卖飞机票。", "language": "zh"}
    with replicas.owner(replicas.one) as api:
        added = api.post("/knowledge-bases/shop/entries", json=entry)
        assert added.status_code == 201, added.text
        assert api.post("/knowledge-bases/shop/releases", json={}).status_code in (200, 201)
    soon(lambda: ask(replicas.other, "你们卖飞机票吗")["answer"] == "我们不卖飞机票。")


def test_a_setting_of_one_counts_on_the_other(replicas: Replicas) -> None:
    with replicas.owner(replicas.one) as api:
        changed = api.patch("/settings", json={"values": {"bot.name": "小青"}})
        assert changed.status_code == 200, changed.text
    with replicas.other.client as client:
        soon(lambda: client.get("/api/bot").json()["name"] == "小青")


def test_a_stream_of_one_goes_on_at_the_other(replicas: Replicas) -> None:
    body = {"question": WORDED, "message_id": "to be cut"}
    before: list[tuple[str, str, Any]] = []
    with replicas.one.client as client, client.stream("POST", "/api/chat/stream", json=body) as reply:
        for event in events_of(reply.iter_lines()):
            before.append(event)
            if event[1] == "citations":
                break
    turn = before[0][2]["turn_id"]
    with replicas.other.client as client:
        headers = {"Last-Event-ID": before[-1][0]}
        with client.stream("GET", f"/api/chat/stream/{turn}", headers=headers) as reply:
            assert reply.status_code == 200
            after = list(events_of(reply.iter_lines()))
    assert [identifier for identifier, _, _ in before + after] == [f"{turn}:{n}" for n in range(len(before + after))]
    assert after[-1][1] == "done"
    assert after[-1][2]["answer"] == ask(replicas.one, WORDED, message_id="to be cut")["answer"]


def test_when_one_is_killed_the_others_go_on(replicas: Replicas, shop_home: Path, tmp_path: Path) -> None:
    body = {"question": WORDED, "message_id": "interrupted"}
    with served(indexed(shop_home, tmp_path), **replicas.settings) as third:
        conversation = ask(third, "怎么开发票")["conversation_id"]
        with third.client as client, client.stream("POST", "/api/chat/stream", json=body) as reply:
            turn = next(events_of(reply.iter_lines()))[2]["turn_id"]
            third.stop(signal.SIGKILL)
    assert ask(replicas.other, "运费谁出", conversation_id=conversation)["conversation_id"] == conversation
    answers = [ask(server, WORDED, message_id="interrupted") for server in (replicas.one, replicas.other)]
    assert [answer["turn_id"] for answer in answers] == [turn, turn]
    assert answers[0]["answer"] == answers[1]["answer"] != ""
