from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import EntryChanged, NameTaken
from bot.store.database import Database
from bot.store.entries import ImportCounts, version_of
from bot.store.knowledge import KnowledgeStore
from bot.store.tables import VariantRow
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


async def test_a_page_has_the_newest_change_first_and_counts_all(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS, HOURS, INVOICE, RICH])
    await store.upsert("kb", [replace(HOURS, answer="We never close.")])
    page = await store.page("kb", limit=2)
    assert [entry.key for entry, _ in page.entries] == ["HRS-1", "RET-1"]
    assert page.entries[0][1].tzinfo is not None
    assert (page.total, page.statuses) == (4, {"published": 3, "draft": 1})
    assert sorted(page.tags) == [("tag", 1), ("标签", 1)]
    assert [entry.key for entry, _ in (await store.page("kb", offset=2)).entries] == ["INV-1", RICH.key]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"search": "退货"}, ["RET-1"]),
        ({"search": "我要退货"}, ["RET-1"]),
        ({"search": "WEEKDAYS open"}, ["HRS-1"]),
        ({"search": "退货 open"}, []),
        ({"search": "%"}, []),
        ({"search": "_"}, []),
        ({"search": "inv-1"}, ["INV-1"]),
        ({"status": "draft"}, [RICH.key]),
        ({"tag": "标签"}, [RICH.key]),
        ({"tag": "标"}, []),
        ({"tag": "tag", "search": "😀", "status": "draft"}, [RICH.key]),
    ],
)
async def test_a_page_holds_what_was_looked_for(
    store: KnowledgeStore, wanted: dict[str, str], found: list[str]
) -> None:
    await store.upsert("kb", [RETURNS, HOURS, INVOICE, RICH])
    page = await store.page("kb", **wanted)  # type: ignore[arg-type]
    assert [entry.key for entry, _ in page.entries] == found
    assert page.total == len(found)


async def test_the_history_says_who_did_what(store: KnowledgeStore) -> None:
    changed = replace(RETURNS, answer="改了")
    await store.upsert("kb", [RETURNS, HOURS])
    await store.upsert("kb", [RETURNS])
    await store.replace("kb", changed, actor="Olga")
    await store.delete("kb", ["RET-1"], actor="Anna")
    history = await store.history("kb", "RET-1")
    assert [(change.actor, change.before, change.after) for change in history] == [
        ("Anna", changed.to_dict(), None),
        ("Olga", RETURNS.to_dict(), changed.to_dict()),
        ("command line", None, RETURNS.to_dict()),
    ]


async def test_a_change_to_what_somebody_else_changed_is_refused(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    seen = version_of(RETURNS)
    await store.replace("kb", replace(RETURNS, answer="first"), actor="Olga", version=seen)
    with pytest.raises(EntryChanged, match="RET-1"):
        await store.replace("kb", replace(RETURNS, answer="second"), actor="Anna", version=seen)
    assert (await store.entry("kb", "RET-1")).answer == "first"


async def test_a_key_is_added_once(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS])
    await store.add("kb", HOURS, actor="Olga")
    with pytest.raises(NameTaken):
        await store.add("kb", replace(HOURS, answer="other"), actor="Olga")
    assert await store.entries("kb") == [RETURNS, HOURS]


async def test_several_entries_are_changed_alike_or_none(store: KnowledgeStore) -> None:
    await store.upsert("kb", [RETURNS, HOURS, RICH])

    def draft(entry: Entry) -> Entry:
        return replace(entry, status="draft")

    assert await store.edit("kb", ["RET-1", RICH.key], draft, actor="Olga") == 1
    with pytest.raises(UnknownEntry, match="NOPE"):
        await store.edit("kb", ["HRS-1", "NOPE"], draft, actor="Olga")
    assert [entry.status for entry in await store.entries("kb")] == ["draft", "published", "draft"]


async def test_a_knowledge_base_is_made_empty_and_once(store: KnowledgeStore) -> None:
    await store.add_base("new")
    assert (await store.page("new")).total == 0
    with pytest.raises(NameTaken):
        await store.add_base("new")
