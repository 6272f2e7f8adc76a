from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from bot.errors import NotFound
from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from bot.store.tables import ReleaseRow
from knowledge.entries import Entry
from knowledge.errors import UnknownEntry
from tests.bot.fakes import HOURS, INVOICE, RETURNS

RICH = Entry(
    key="很长-1",
    question="能用表情吗？😀",
    answer="可以 👍🏽 — “引号”, \\反斜杠, 𠮷野家, ' OR 1=1; --\n第二行",
    variants=("表情😀", "emoji ok?", "👨‍👩‍👧"),
    language="zh",
    tags=("标签", "tag"),
    status="draft",
    valid_from=date(2026, 1, 31),
    valid_until=date(2026, 12, 31),
    action="open_form",
)


@pytest.fixture
def store(database: Database) -> KnowledgeStore:
    return KnowledgeStore(database)


async def test_releases_are_numbered_from_one_in_each_knowledge_base(store: KnowledgeStore) -> None:
    await store.upsert("a", [RETURNS])
    await store.upsert("b", [HOURS])
    assert [(await store.publish("a")).number, (await store.publish("b")).number] == [1, 1]
    await store.upsert("a", [INVOICE])
    assert (await store.publish("a")).number == 2


async def test_publishing_what_did_not_change_gives_the_same_release(store: KnowledgeStore, database: Database) -> None:
    await store.upsert("kb", [RETURNS])
    first = await store.publish("kb")
    second = await store.publish("kb")
    assert (second.id, second.number) == (first.id, 1)
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(ReleaseRow)) == 1


async def test_publishing_an_unknown_knowledge_base_is_refused(store: KnowledgeStore) -> None:
    with pytest.raises(UnknownEntry, match="absent"):
        await store.publish("absent")


async def test_a_release_stays_as_it_was_published(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS, RICH])
    release = await store.publish("kb")
    await store.upsert("kb", [replace(RETURNS, answer="改了")])
    await store.delete("kb", [RICH.key])
    assert await store.released_entries(release) == [RETURNS, RICH]


async def test_what_was_not_published_is_not_current(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    assert await store.current_releases() == []
    release = await store.publish("kb")
    await store.upsert("kb", [HOURS])
    assert [current.id for current in await store.current_releases()] == [release.id]


async def test_only_the_named_knowledge_bases_are_current(store: KnowledgeStore) -> None:
    for name in ("a", "b", "c"):
        await store.upsert(name, [RETURNS])
        await store.publish(name)
    assert [release.knowledge_base for release in await store.current_releases(["c", "a"])] == ["a", "c"]
    assert len(await store.current_releases()) == 3


async def test_everything_may_be_withdrawn(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    await store.delete("kb", ["RET-1"])
    release = await store.publish("kb")
    assert release.number == 2
    assert await store.released_entries(release) == []


async def test_a_release_says_who_published_it_and_why(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    await store.publish("kb", created_by="Olga", note="Autumn")
    await store.upsert("kb", [HOURS])
    await store.publish("kb")
    listed = await store.releases("kb")
    assert [(each.release.number, each.release.created_by, each.release.note) for each in listed] == [
        (2, None, None),
        (1, "Olga", "Autumn"),
    ]
    assert [(each.entries, each.current) for each in listed] == [(2, True), (1, False)]


async def test_an_earlier_release_is_restored_and_what_is_edited_stays(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    first = await store.publish("kb")
    await store.upsert("kb", [replace(RETURNS, answer="wrong")])
    await store.publish("kb")
    assert (await store.restore("kb", 1)).id == first.id
    assert [release.number for release in await store.current_releases()] == [1]
    assert (await store.entry("kb", "RET-1")).answer == "wrong"
    assert (await store.publish("kb")).number == 3


async def test_a_release_that_never_was_is_not_restored(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    with pytest.raises(NotFound):
        await store.restore("kb", 1)


async def test_the_overview_says_whether_customers_see_what_was_edited(store: KnowledgeStore) -> None:
    async def changed() -> list[bool]:
        return [base.changed for base in await store.overview()]

    await store.add_base("empty")
    await store.upsert("kb", [RETURNS])
    assert await changed() == [False, True]
    await store.publish("kb")
    assert await changed() == [False, False]
    await store.delete("kb", ["RET-1"])
    assert await changed() == [False, True]
    await store.publish("kb")
    await store.restore("kb", 1)
    overview = (await store.overview())[1]
    assert (overview.name, overview.entries, overview.changed) == ("kb", 0, True)
    assert overview.release is not None
    assert overview.release.number == 1
