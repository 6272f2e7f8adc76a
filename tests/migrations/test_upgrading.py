"""A company that has used FrontDesk since any of its revisions upgrades, and finds everything where it was."""

from __future__ import annotations

import ast
from itertools import takewhile
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from bot.actions.tracker import TrackerState
from bot.question import Question
from bot.store.audit import AuditStore
from bot.store.channels import ChannelStore
from bot.store.conversations import ConversationStore
from bot.store.database import Database, blocking_url, migration_config, upgrade
from bot.store.handoffs import HandoffStore
from bot.store.inbox import InboxStore
from bot.store.keys import KeyStore
from bot.store.knowledge import KnowledgeStore
from bot.store.memory import MemoryStore
from bot.store.review import ReviewStore
from bot.store.settings import SettingStore
from bot.store.tables import HandoffRow
from bot.store.testcases import TestCaseStore
from bot.store.trackers import TrackerStore
from bot.store.users import UserStore
from tests.migrations.past import ROWS

REVISIONS = sorted(
    script.revision for script in ScriptDirectory.from_config(migration_config("sqlite://")).walk_revisions()
)


def live_until(url: str, revision: str) -> None:
    """Begin with the first revision, upgrade to one after the other, and fill each as it was filled then."""
    engine = create_engine(blocking_url(url))
    for each in (*takewhile(lambda older: older < revision, REVISIONS), revision):
        command.upgrade(migration_config(url), each)
        with engine.begin() as connection:
            for statement in ROWS[each]:
                connection.execute(text(statement.replace(":", r"\:")))
            if engine.dialect.name == "postgresql":
                count_on(connection)
    engine.dispose()


def count_on(connection) -> None:  # type: ignore[no-untyped-def]
    """Have PostgreSQL number what comes next behind what was put there with its number."""
    numbered = "SELECT table_name FROM information_schema.columns WHERE column_name = 'id' AND data_type = 'integer'"
    for (table,) in connection.execute(text(numbered)).all():
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"))


def test_every_revision_has_rows_of_its_time() -> None:
    assert [revision for revision in REVISIONS if revision not in ROWS] == []


@pytest.mark.parametrize("revision", REVISIONS)
async def test_what_was_kept_then_is_used_now(blank_url: str, revision: str) -> None:
    live_until(blank_url, revision)
    upgrade(blank_url)
    database = Database(blank_url)
    try:
        await the_first(database)
        for since, look in (
            ("0002", visitors), ("0003", console), ("0004", review), ("0005", channels), ("0006", actions),
        ):  # fmt: skip
            if revision >= since:
                await look(database)
        await business_goes_on(database)
    finally:
        await database.close()


async def the_first(database: Database) -> None:
    knowledge, log = KnowledgeStore(database), ConversationStore(database)
    [entry] = await knowledge.entries("shop")
    assert (entry.key, entry.tags, entry.variants) == ("RET-1", ("售后",), ("我要退货",))
    [release] = await knowledge.current_releases(["shop"])
    assert [entry.answer for entry in await knowledge.released_entries(release)] == ["签收后7天内可以退。"]
    answer = await log.answer("t1")
    assert (answer.text, answer.confidence, answer.citations[0].key) == ("签收后7天内可以退。", 0.93, "RET-1")
    assert [message.text for message in await log.transcript("c1")] == [
        "怎么退货？", "签收后7天内可以退。", "转人工", "请稍候",
    ]  # fmt: skip
    async with database.transaction() as session:
        call = await session.get_one(HandoffRow, 1)
        assert (call.summary, call.told) == ("想退货", {"webhook": 0})
    assert await log.turn_of("web", "m1") == "t1"


async def visitors(database: Database) -> None:
    log = ConversationStore(database)
    assert await log.visitor_of("t3") == "v-anna"
    turn = await log.begin(Question(text="那换货呢", conversation_id="c2", visitor="v-anna"))
    assert [message.text for message in turn.history] == ["运费多少", "没有找到"]


async def console(database: Database) -> None:
    assert [(user.name, user.role) for user in await UserStore(database).users()] == [("Olga", "owner")]
    assert [key.scopes for key in await KeyStore(database).keys()] == [["knowledge:read"]]
    assert [entry.details for entry in await AuditStore(database).entries()] == [{"role": "agent"}]
    assert [case.keys for case in await TestCaseStore(database).cases("shop")] == [("RET-1",)]
    assert await SettingStore(database).values() == {"bot.name": "小福"}
    assert [change.actor for change in await KnowledgeStore(database).history("shop", "RET-1")] == ["Olga"]
    assert [reply.text for reply in await InboxStore(database).replies("c1", 0)] == ["您好，我来处理"]
    await InboxStore(database).reply("c1", "Olga", "还在吗")


async def review(database: Database) -> None:
    store = ReviewStore(database)
    long_ago = (await InboxStore(database).conversation("c1")).last_at.replace(year=2025)
    assert set(await store.reviewed(long_ago)) == {"运费多少"}
    assert {miss.question for miss in await store.misses(long_ago)} == {"怎么退货？", "运费多少"}


async def channels(database: Database) -> None:
    store = ChannelStore(database)
    [received] = await store.claim(5)
    assert (received.text, received.address) == ("在吗", {"user": "wm1"})
    assert [reply.text for reply in await store.undelivered()] == ["您好，我来处理", "还在吗"]
    assert await MemoryStore(database).remembered("kf", "cursor:a") == "c-7"
    async with database.transaction() as session:
        assert (await session.get_one(HandoffRow, 2)).told == {"mail": 1}
    assert await HandoffStore(database).open_calls() == []


async def actions(database: Database) -> None:
    state = await TrackerStore(database).load("c1")
    assert state == TrackerState({"order": "20261"}, [{"event": "slot"}], None)
    assert (await ConversationStore(database).answer("t2")).action == "order_status"


async def business_goes_on(database: Database) -> None:
    log = ConversationStore(database)
    turn = await log.begin(Question(text="还能退吗", conversation_id="c1"))
    assert [message.text for message in turn.history][-1] == "请稍候"
    knowledge = KnowledgeStore(database)
    release = await knowledge.publish("shop", created_by="Olga")
    assert release.number == 2


ONLY_ADDS_AFTER = "0007"
CONTRACTS: dict[str, str] = {}
"""Revisions that take away what no program uses any more: the release since which none does."""


@pytest.mark.parametrize("revision", [each for each in REVISIONS if each > ONLY_ADDS_AFTER])
def test_the_program_before_goes_on_working_on_the_new_tables(revision: str) -> None:
    script = ScriptDirectory.from_config(migration_config("sqlite://")).get_revision(revision)
    upgrading = next(
        node
        for node in ast.parse(Path(script.path).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    calls = [
        node for node in ast.walk(upgrading) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    takes_away = ("drop_", "rename_", "alter_")
    taken = [call.func.attr for call in calls if call.func.attr.startswith(takes_away)]  # type: ignore[attr-defined]
    assert taken == [] or revision in CONTRACTS
    for call in calls:
        if call.func.attr != "add_column":  # type: ignore[attr-defined]
            continue
        column = next(node for node in call.args if isinstance(node, ast.Call))
        given = {each.arg: ast.unparse(each.value) for each in column.keywords}
        assert given.get("nullable") == "True" or "server_default" in given
