from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from bot.store.database import Database
from bot.store.knowledge import ImportCounts, KnowledgeStore
from bot.store.tables import ReleaseRow, VariantRow
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


async def test_an_entry_comes_back_as_it_was_given(store: KnowledgeStore) -> None:
    await store.upsert("默认", [RICH])
    assert await store.entries("默认") == [RICH]


async def test_entries_keep_their_order(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS, HOURS, INVOICE])
    await store.upsert("kb", [replace(RETURNS, answer="改了")])
    assert [entry.key for entry in await store.entries("kb")] == ["RET-1", "HRS-1", "INV-1"]


async def test_an_import_counts_what_it_added_changed_and_left(store: KnowledgeStore) -> None:
    assert await store.upsert("kb", [RETURNS, HOURS]) == ImportCounts(added=2, changed=0, unchanged=0)
    changed = replace(HOURS, answer="We never close.")
    assert await store.upsert("kb", [RETURNS, changed, INVOICE]) == ImportCounts(added=1, changed=1, unchanged=1)
    assert await store.entry("kb", "HRS-1") == changed


async def test_a_change_of_the_variants_alone_is_a_change(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RICH])
    changed = replace(RICH, variants=("emoji ok?", "表情😀", "new"))
    assert (await store.upsert("kb", [changed])).changed == 1
    assert await store.entry("kb", RICH.key) == changed


async def test_a_failed_import_leaves_the_old_state(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    broken = replace(INVOICE, answer=None)  # type: ignore[arg-type]
    with pytest.raises(SQLAlchemyError):
        await store.upsert("kb", [replace(RETURNS, answer="改了"), HOURS, broken])
    assert await store.entries("kb") == [RETURNS]


async def test_a_failed_first_import_makes_no_knowledge_base(store: KnowledgeStore) -> None:
    with pytest.raises(SQLAlchemyError):
        await store.upsert("kb", [replace(INVOICE, answer=None)])  # type: ignore[arg-type]
    assert await store.names() == []


async def test_knowledge_bases_do_not_see_each_other(store: KnowledgeStore) -> None:
    await store.upsert("a", [RETURNS])
    await store.upsert("b", [replace(RETURNS, answer="b")])
    assert await store.names() == ["a", "b"]
    assert await store.entries("a") == [RETURNS]
    assert await store.entries("absent") == []


async def test_an_unknown_entry_is_named(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    with pytest.raises(UnknownEntry, match="NOPE"):
        await store.entry("kb", "NOPE")


async def test_a_deleted_entry_is_gone_with_its_variants(store: KnowledgeStore, database: Database) -> None:
    await store.upsert("kb", [RETURNS, RICH])
    assert await store.delete("kb", [RICH.key]) == 1
    assert await store.entries("kb") == [RETURNS]
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(VariantRow)) == len(RETURNS.variants)


async def test_one_unknown_key_and_nothing_is_deleted(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS, HOURS])
    with pytest.raises(UnknownEntry, match="NOPE"):
        await store.delete("kb", ["RET-1", "NOPE"])
    assert await store.entries("kb") == [RETURNS, HOURS]


async def test_deleting_from_an_unknown_knowledge_base_is_refused(store: KnowledgeStore) -> None:
    with pytest.raises(UnknownEntry, match="absent"):
        await store.delete("absent", ["RET-1"])


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
