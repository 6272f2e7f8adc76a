"""The generic webhook, from a program that signs as the documentation says."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from bot import messages
from tests.bot.fakes import INVOICE, RETURNS
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms.misbehaviour import down, too_many
from tests.connectors.platforms.recorder import Recorder

SECRET = "a-long-enough-secret"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def post(
    address: str, message: Any, *, secret: str = SECRET, at: float | None = None, **headers: str
) -> httpx.Response:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    timestamp = str(int(at or time.time()))
    signed = {"X-FrontDesk-Timestamp": timestamp, "X-FrontDesk-Signature": signature(secret, timestamp, body)}
    return httpx.post(f"{address}/channels/webhook/messages", content=body, headers={**signed, **headers}, timeout=30)


@pytest.fixture
def listener() -> Iterator[tuple[Recorder, str]]:
    recorder = Recorder()
    with serving(recorder.app()) as address:
        yield recorder, address


@pytest.fixture
def program(listener: tuple[Recorder, str]) -> Recorder:
    return listener[0]


@pytest.fixture
def address(site: Site, listener: tuple[Recorder, str]) -> Iterator[str]:
    site.settings = {"channels": {"webhook": {"secret": SECRET, "url": f"{listener[1]}/answers"}}}
    with site.served() as address:
        yield address


def test_a_message_is_taken_and_the_answer_posted_signed(address: str, program: Recorder) -> None:
    reply = post(address, {"id": "m1", "thread": "ann", "text": "怎么退货？"})
    assert (reply.status_code, reply.json()) == (202, {"new": True})
    [answer] = program.wait_for(1)
    timestamp = answer.headers["x-frontdesk-timestamp"]
    assert answer.headers["x-frontdesk-signature"] == signature(SECRET, timestamp, answer.body)
    assert abs(time.time() - int(timestamp)) < 30
    shown = answer.json
    assert shown.pop("id") == f"{shown.pop('turn_id')}-0"
    assert shown == {
        "thread": "ann",
        "in_reply_to": "m1",
        "from": "bot",
        "text": RETURNS.answer,
        "language": "zh",
        "outcome": "direct",
        "choices": [],
        "citations": [{"key": RETURNS.key, "question": RETURNS.question}],
        "handoff": "bot",
    }


def test_four_deliveries_at_once_are_one_question(address: str, program: Recorder, site: Site) -> None:
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: post(address, {"id": "m1", "thread": "ann", "text": "怎么退货？"}), range(4)))
    assert sorted(reply.json()["new"] for reply in replies) == [False, False, False, True]
    post(address, {"id": "m2", "thread": "bob", "text": "怎么退货？"})
    program.wait_for(2)
    assert len(site.knowledge.queries) == 2


def test_choices_are_listed_and_their_words_or_a_number_choose(address: str, program: Recorder, site: Site) -> None:
    site.knowledge.confidence = 0.3
    post(address, {"id": "m1", "thread": "ann", "text": "那个"})
    [offer] = program.wait_for(1)
    site.knowledge.confidence = 0.95
    post(address, {"id": "m2", "thread": "ann", "text": offer.json["choices"][1]})
    program.wait_for(2)
    assert site.knowledge.queries[-1].text == INVOICE.question


def test_other_kinds_of_messages(address: str, program: Recorder) -> None:
    post(address, {"id": "m1", "thread": "ann", "kind": "entered"})
    post(address, {"id": "m2", "thread": "ann", "kind": "media"})
    heard = [answer.json["text"] for answer in program.wait_for(2)]
    assert heard == [messages.welcome("zh", "FrontDesk"), messages.text_only("zh")]


@pytest.mark.parametrize("trouble", [down, too_many(1), 0.01])
def test_an_answer_arrives_once_the_program_is_well_again(address: str, program: Recorder, trouble: Any) -> None:
    program.script.then(trouble)
    post(address, {"id": "m1", "thread": "ann", "text": "怎么退货？"})
    assert program.wait_for(1)[0].json["text"] == RETURNS.answer


def test_what_an_agent_writes_is_posted(address: str, program: Recorder, site: Site) -> None:
    post(address, {"id": "m1", "thread": "ann", "text": "转人工"})
    assert program.wait_for(1)[0].json["handoff"] == "waiting"
    with site.owner(address) as agent:
        [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
        agent.post(f"/api/admin/inbox/{waiting['id']}/take", json={})
        agent.post(f"/api/admin/inbox/{waiting['id']}/reply", json={"text": "您好"})
        said = program.wait_for(2)[1].json
    assert (said["from"], said["text"], said["thread"]) == ("desk", "您好", "ann")


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "another-long-secret"},
        {"at": 1.0},
        {"at": time.time() + 7_200},
        {"X-FrontDesk-Signature": ""},
        {"X-FrontDesk-Timestamp": "now"},
    ],
)
def test_what_is_not_signed_now_by_us_is_refused(address: str, site: Site, forged: dict[str, Any]) -> None:
    message = {"id": "m1", "thread": "ann", "text": "怎么退货？"}
    assert post(address, message, **forged).status_code == 401
    assert site.knowledge.queries == []


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (b"", ""),
        (b"[]", ""),
        ({"thread": "a", "text": "?"}, "id"),
        ({"id": "1", "text": "?"}, "thread"),
        ({"id": "1", "thread": "a", "kind": "song"}, "kind"),
        ({"id": "1", "thread": "a", "txt": "?"}, "txt"),
    ],
)
def test_what_is_no_message_is_named(address: str, message: Any, named: str) -> None:
    reply = post(address, message)
    assert reply.status_code == 400
    assert named in reply.json()["error"]["message"]


def test_a_huge_body_is_refused(address: str) -> None:
    assert post(address, b"x" * 2_000_000).status_code == 413
