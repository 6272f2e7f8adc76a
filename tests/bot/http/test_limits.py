from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

import bot.http.limits
from bot.http.limits import Limit, RateLimit, SharedRateLimit, make_limit
from bot.sections import DatabaseSettings
from bot.store.database import Database
from bot.store.limits import LimitStore

Make = Callable[[int], Limit]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class LimitContract:
    """What every limit must do; a subclass has a fixture `make` that gives a way to make one of so many a minute."""

    async def test_a_burst_passes_and_then_one_has_to_wait(self, make: Make) -> None:
        limit = make(3)
        assert [await limit.take("a") for _ in range(3)] == [0, 0, 0]
        assert 0 < await limit.take("a") <= 20

    async def test_a_refused_try_costs_nothing(self, make: Make) -> None:
        limit = make(1)
        await limit.take("a")
        assert all([0 < await limit.take("a") <= 60 for _ in range(20)])

    async def test_one_does_not_wait_for_another(self, make: Make) -> None:
        limit = make(1)
        assert [await limit.take("a"), await limit.take("b")] == [0, 0]

    async def test_zero_is_no_limit(self, make: Make) -> None:
        limit = make(0)
        assert {await limit.take("a") for _ in range(100)} == {0}


class TestInMemory(LimitContract):
    @pytest.fixture
    def make(self) -> Make:
        return lambda per_minute: RateLimit(per_minute, Clock())


class TestShared(LimitContract):
    @pytest.fixture
    async def shared(self, postgres_url: str) -> AsyncIterator[Database]:
        database = Database(postgres_url)
        yield database
        await database.close()

    @pytest.fixture
    def make(self, shared: Database) -> Make:
        return lambda per_minute: make_limit(shared, "visitor", per_minute)

    async def test_replicas_count_together(self, make: Make) -> None:
        one, other = make(2), make(2)
        assert [await one.take("a"), await other.take("a")] == [0, 0]
        assert await one.take("a") > 0
        assert await other.take("a") > 0

    async def test_limits_of_different_names_are_different(self, make: Make, shared: Database) -> None:
        assert [await make(1).take("a"), await make_limit(shared, "address", 1).take("a")] == [0, 0]

    async def test_waiting_is_enough_and_those_who_waited_are_forgotten(self, shared: Database) -> None:
        store = LimitStore(shared)
        assert [await store.take("fast", 60_000), await store.take("slow", 1)] == [0, 0]
        while await store.take("fast", 60_000):
            pass
        await store.forget_old()
        assert await store.take("slow", 1) > 0

    async def test_while_the_database_is_away_each_counts_by_itself(self) -> None:
        nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", DatabaseSettings(wait_seconds=0.1))
        limit = SharedRateLimit(LimitStore(nowhere), "visitor", 2, RateLimit(2, Clock()))
        assert [await limit.take("a") for _ in range(3)] == [0, 0, 30]
        await nowhere.close()


async def test_on_sqlite_it_is_counted_in_memory(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    assert isinstance(make_limit(database, "visitor", 1), RateLimit)
    await database.close()


async def test_waiting_as_long_as_was_said_is_enough() -> None:
    clock = Clock()
    limit = RateLimit(3, clock)
    for _ in range(3):
        await limit.take("a")
    clock.now += await limit.take("a")
    assert await limit.take("a") == 0
    assert await limit.take("a") == 20


async def test_after_a_refused_try_the_time_to_wait_is_the_same() -> None:
    clock = Clock()
    limit = RateLimit(1, clock)
    await limit.take("a")
    assert {await limit.take("a") for _ in range(100)} == {60}
    clock.now += 60
    assert await limit.take("a") == 0


async def test_no_more_than_a_minutes_worth_is_saved_up() -> None:
    clock = Clock()
    limit = RateLimit(2, clock)
    clock.now += 3_600
    assert [await limit.take("a") for _ in range(3)] == [0, 0, 30]


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.http.limits, "MAX_KEYS", 2)
    limit = RateLimit(1, Clock())
    for key in ("a", "b", "c"):
        await limit.take(key)
    assert await limit.take("c") > 0
    assert await limit.take("a") == 0  # forgotten: it was heard of longest ago
