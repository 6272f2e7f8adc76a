"""More questions than there is room for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace

import httpx
import openai
import pytest
from fastapi.testclient import TestClient

import bot.http.running
from bot import messages
from bot.http.admission import LATE_SECONDS, LOOK_SECONDS, Admission
from tests.bot.fakes import ScriptedModel
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape

QUESTION = {"question": "退货有什么规定？", "language": "zh"}


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
def test_whoever_finds_no_room_is_asked_kindly_to_come_back(
    site: Site, open_client: Callable[[], TestClient], path: str
) -> None:
    client = open_client()
    site.knowledge.searching_for = 2.0
    for language in ("zh", "en"):
        refused = client.post(path, json={**QUESTION, "language": language})
        assert_error_shape(refused, 503, "busy")
        assert refused.json()["error"]["message"] == messages.busy(language)
        assert int(refused.headers["Retry-After"]) > 0
    assert site.knowledge.queries == []
    site.knowledge.searching_for = 0.0
    assert client.post(path, json=QUESTION).status_code == 200


def test_the_openai_client_is_told_as_well(site: Site) -> None:
    site.knowledge.searching_for = 2.0
    with site.served() as address:
        client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        with client, pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="frontdesk", messages=[{"role": "user", "content": "怎么退货？"}])
    assert caught.value.status_code == 503


async def test_so_many_answers_are_on_their_way_and_a_repeated_message_joins_its_own(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.http.running, "GRACE_SECONDS", 0.02)
    site.settings = {"server": {"answers_at_once": 1}}
    site.knowledge.confidence = 0.6
    site.local = ScriptedModel("签收后7天内可以，", "申请退货，", asyncio.Event())
    with site.served() as address:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            body = {**QUESTION, "message_id": "m-1"}
            async with client.stream("POST", "/api/chat/stream", json=body) as first:
                async for line in first.aiter_lines():
                    if line == "event: token":
                        break
                assert (await client.post("/api/chat", json=QUESTION)).status_code == 503
                async with client.stream("POST", "/api/chat/stream", json=body) as again:
                    assert again.status_code == 200


async def test_an_event_loop_that_is_far_behind_takes_nothing_new() -> None:
    """What waits in it is counted nowhere: connections that were not looked at yet."""
    admission = Admission({}, SimpleNamespace(unfinished=0), 10)  # type: ignore[arg-type]
    watching = asyncio.create_task(admission.watch())
    await asyncio.sleep(0)
    assert not admission.is_full
    time.sleep(LATE_SECONDS + 2 * LOOK_SECONDS)  # noqa: ASYNC251 - that is what it is about
    await asyncio.sleep(0.01)
    assert admission.is_full
    watching.cancel()
