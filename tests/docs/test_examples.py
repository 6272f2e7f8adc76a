"""The programs and calls that the documents show do what they say, against a running server."""

from __future__ import annotations

import json
import shlex
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import openpyxl
import pytest
from rasa_sdk.executor import CollectingDispatcher

from connectors.webhook import sign
from tests.bot.fakes import RETURNS, StubKnowledge
from tests.bot.http.conftest import Site
from tests.docs.pages import blocks, commands

LANGUAGES = ["", ".zh-CN"]
LOCAL = "http://localhost:8080"
SECRET = "at least sixteen characters"


@pytest.fixture(autouse=True)
def a_busy_machine_is_no_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.admission.LATE_SECONDS", 60.0)
    monkeypatch.setattr("bot.http.admission.SEARCH_SECONDS", 60.0)


@pytest.fixture
def site(new_url: str) -> Site:
    """Give a site with the channels that programs talk to."""
    site = Site(new_url, StubKnowledge())
    channels = {"webhook": {"secret": SECRET, "url": "http://127.0.0.1:9/"}, "rest": {}}
    site.settings = {"channels": channels, "server": {"api_keys": ["a-long-random-key"]}}
    return site


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """Serve it."""
    with site.served() as address:
        yield address


def as_request(command: str) -> tuple[str, str, dict[str, Any]]:
    """Return what a curl command sends."""
    parser = ArgumentParser()
    parser.add_argument("-s", "-sN", action="store_true", dest="quiet")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", "--data-binary", dest="body")
    parser.add_argument("-X", dest="method")
    parser.add_argument("--max-time")
    parser.add_argument("url")
    given = parser.parse_args(shlex.split(command)[1:])
    body = given.body
    if body and body.startswith("@"):
        body = Path(body[1:]).read_bytes()
    headers = dict(header.split(": ", 1) for header in given.headers)
    content = body.encode() if isinstance(body, str) else body
    return given.method or ("POST" if body else "GET"), given.url, {"headers": headers, "content": content}


def calls(page: str) -> list[str]:
    return [line for text in blocks(page, "sh") for line in commands(text) if line.startswith("curl")]


def call(command: str, address: str) -> httpx.Response:
    """Do what a curl command does; of a stream that does not end the first event is read."""
    method, url, options = as_request(command.replace(LOCAL, address))
    with httpx.stream(method, url, timeout=30, **options) as response:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            response._content = next(response.iter_bytes())
        else:
            response.read()
    assert response.is_success, (command, response.status_code, response.text)
    return response


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_calls_of_customers_work(address: str, language: str) -> None:
    ask, stream, hand_off, follow, rate = calls(f"docs/api{language}.md")[:5]
    answer = call(ask, address).json()
    assert (answer["outcome"], answer["answer"]) == ("direct", RETURNS.answer)
    [shown] = [json.loads(text) for text in blocks(f"docs/api{language}.md", "json") if "turn_id" in text]
    assert set(shown) <= set(answer)
    assert set(shown["citations"][0]) <= set(answer["citations"][0])
    assert call(ask, address).json()["turn_id"] == answer["turn_id"]
    assert "event: meta" in call(stream, address).text
    named = ("CONVERSATION", answer["conversation_id"])
    assert call(hand_off.replace(*named), address).json()["handoff"] == "waiting"
    assert "event: handoff" in call(follow.replace(*named), address).text
    assert call(rate.replace("TURN", answer["turn_id"]), address).status_code == 204


@pytest.mark.parametrize("page", [f"docs/{name}{language}.md" for name in ("api", "console") for language in LANGUAGES])
def test_the_calls_of_programs_work(site: Site, address: str, page: str) -> None:
    workbook = openpyxl.Workbook()
    for row in (("问题", "答案"), ("怎么退货？", "7天内。")):
        workbook.worksheets[0].append(row)
    workbook.save("faq.xlsx")
    here = [line.replace("https://bot.example.com", LOCAL) for line in calls(page) if "fdk_…" in line]
    with site.owner(address) as owner:
        body = {"name": "docs", "scopes": ["knowledge:read", "knowledge:write"]}
        key = owner.post("/api/admin/keys", json=body).json()["key"]
        listed, uploaded, applied, published = [line.replace("fdk_…", key) for line in here]
        assert call(listed, address).json() == {"knowledge_bases": []}
        upload = call(uploaded, address).json()
        assert (upload["added_count"], upload["errors"]) == (1, [])
        call(applied.replace("/ID/", f"/{upload['id']}/"), address)
        while owner.get(f"/api/admin/uploads/{upload['id']}").json()["state"] == "applying":
            time.sleep(0.05)
        assert call(published, address).json()["number"] == 1


@pytest.mark.parametrize(
    "page", [f"docs/channels/{name}{each}.md" for name in ("rasa", "openai") for each in LANGUAGES]
)
def test_the_calls_of_other_programs_work(address: str, page: str) -> None:
    [command] = calls(page)
    assert RETURNS.answer in json.dumps(call(command, address).json(), ensure_ascii=False)


@pytest.mark.parametrize("page", [f"docs/{name}{each}.md" for name in ("api", "channels/openai") for each in LANGUAGES])
def test_the_programs_that_ask_print_the_answer(address: str, page: str) -> None:
    [program] = blocks(page, "python")
    said: list[str] = []
    exec(program.replace(LOCAL, address), {"server": address, "print": said.append})
    assert said == [RETURNS.answer]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_signed_message_is_taken_and_an_answer_is_known_as_ours(address: str, language: str) -> None:
    send, take = blocks(f"docs/channels/webhook{language}.md", "python")
    exec(send, {"server": address})
    names: dict[str, Any] = {}
    exec(take, names)
    now = str(int(names["time"].time()))
    signature = sign(SECRET, now, b"{}")
    assert names["is_ours"](b"{}", now, signature, SECRET.encode())
    assert not names["is_ours"](b"{ }", now, signature, SECRET.encode())
    assert not names["is_ours"](b"{}", "1700000000", sign(SECRET, "1700000000", b"{}"), SECRET.encode())


def test_the_embedder_embeds() -> None:
    [program] = [text for text in blocks("docs/extending.md", "python") if text.startswith("import zlib")]
    names: dict[str, Any] = {}
    exec(program, names)
    vectors = names["LetterPairs"]().embed_queries(["怎么退货", "怎么退货呢", "open on Sunday"])
    assert (vectors.shape, vectors.dtype) == ((3, 256), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert vectors[0] @ vectors[1] > 0.8 > vectors[0] @ vectors[2]


def test_the_tool_answers() -> None:
    [program] = [text for text in blocks("docs/extending.md", "python") if text.startswith("from pydantic")]
    names: dict[str, Any] = {}
    exec(program, names)
    tool = names["Points"](names["PointsSettings"](url="https://shop.example.com/{member}"))
    dispatcher = CollectingDispatcher()
    assert tool.run(dispatcher, SimpleNamespace(), {}) == []
    assert [message["text"] for message in dispatcher.messages] == ["see https://shop.example.com/{member}"]
