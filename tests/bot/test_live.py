from __future__ import annotations

import asyncio

import pytest

from bot import live
from bot.live import Changes, Follower


async def waiting(follower: Follower) -> asyncio.Task[None]:
    await follower.news()  # the first time returns at once
    task = asyncio.create_task(follower.news())
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_a_follower_is_woken_by_its_conversation_only() -> None:
    changes = Changes()
    with changes.follow("a") as mine, changes.follow() as everything:
        one, all_of_them = await waiting(mine), await waiting(everything)
        changes.tell("b")
        await all_of_them
        assert not one.done()
        changes.tell("a")
        await one


async def test_what_happens_between_two_looks_is_not_missed() -> None:
    changes = Changes()
    with changes.follow("a") as follower:
        await follower.news()
        changes.tell("a")
        await follower.news()


async def test_closing_wakes_everybody() -> None:
    changes = Changes()
    with changes.follow("a") as follower:
        task = await waiting(follower)
        changes.close()
        await task
    assert changes.closed


async def test_without_news_a_follower_looks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RECHECK_SECONDS", 0.001)
    changes = Changes()
    with changes.follow("a") as follower:
        await (await waiting(follower))
