"""Customers who leave in the middle of an answer: nothing of theirs stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from benchmarks.traffic import wordings
from benchmarks.watching import Sample, look_closely
from tests.scenarios.conftest import Served
from tests.scenarios.faults.chance import rounds

AT_ONCE = 12
LEAVING = len(rounds(40))
POOLED_FILES = 10
"""A connection more to the database is three files; one left behind by each who leaves would be 40, or thousands."""
QUESTION = "预购的餐边柜 尾款付完多久出货"
"""The local model words its answer."""

pytestmark = pytest.mark.xdist_group("shop")


@pytest.fixture
async def session(shop: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(shop.url, connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield session


async def leave(session: aiohttp.ClientSession, path: str, body: dict[str, object]) -> None:
    """Ask, and go once the answer has begun."""
    async with session.post(path, json=body) as reply:
        assert reply.status in (200, 503), await reply.text()
        async for line in reply.content:
            if line.startswith((b"event: meta", b'data: {"id"')):
                break
        reply.close()


async def rested(session: aiohttp.ClientSession, pid: int) -> Sample:
    """Wait until nobody is answered any more; return what is left."""
    while True:
        sample = await look_closely(session, pid)
        if not (sample.answers or sample.sequences or sample.waiting):
            return sample
        await asyncio.sleep(0.2)


async def test_who_leaves_in_the_middle_leaves_nothing_behind(session: aiohttp.ClientSession, shop: Served) -> None:
    """The engine would go on for hours, were they not given up; an open file each would end the server at 1,024."""
    async with session.get("/v1/models") as reply:
        model = (await reply.json())["data"][1]["id"]
    story = {"model": model, "messages": [{"role": "user", "content": "写一个很长的故事。"}], "stream": True}
    texts = wordings(QUESTION)

    async def customer(leaving: Iterator[int]) -> None:
        for number in leaving:
            if number % 2:
                await leave(session, "/v1/chat/completions", story)
            else:
                await leave(session, "/api/chat/stream", {"question": texts[number % len(texts)]})

    async def crowd(size: int) -> Sample:
        leaving = iter(range(size))
        await asyncio.gather(*(customer(leaving) for _ in range(AT_ONCE)))
        return await rested(session, shop.process.pid)

    before = await crowd(AT_ONCE)
    after = await crowd(LEAVING)
    assert after.tasks <= before.tasks + 2
    assert after.files < before.files + POOLED_FILES
