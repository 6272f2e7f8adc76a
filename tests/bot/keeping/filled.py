"""A database with something in every table, put there by the stores, and what is in a database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import inspect, select, text

from bot.actions.tracker import TrackerState
from bot.question import Answer, Citation, Question
from bot.store.audit import AuditStore
from bot.store.channels import ChannelStore
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.inbox import InboxStore
from bot.store.keys import KeyStore
from bot.store.knowledge import KnowledgeStore
from bot.store.memory import MemoryStore
from bot.store.review import ReviewStore
from bot.store.secrets import SecretStore
from bot.store.settings import SettingStore
from bot.store.tables import Base
from bot.store.testcases import TestCase, TestCaseStore
from bot.store.trackers import TrackerStore
from bot.store.users import UserStore
from connectors.base import Incoming
from knowledge.text import bare
from tests.bot.fakes import INVOICE, RETURNS

PASSWORD = "correct horse battery"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """Open a database for a while."""
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


async def fill(database: Database) -> None:
    """Put in what a shop has after its first day, customers aside."""
    knowledge = KnowledgeStore(database)
    await knowledge.upsert("shop", [RETURNS, INVOICE])
    await knowledge.publish("shop", created_by="Olga", note="第一版")
    await TestCaseStore(database).add("shop", [TestCase("可以退吗", ("RET-1",))])
    await SecretStore(database).keep("visitors", "signs tokens")
    users = UserStore(database)
    await users.add("Olga", PASSWORD, "owner")
    await users.log_in("Olga", PASSWORD)
    await KeyStore(database).add("ERP", ["knowledge:read"], "Olga")
    await SettingStore(database).change({"bot.name": "小福", "bot.starters": ["怎么退货？"], "routing.direct": 0.9})


async def converse(database: Database, visitor: str, words: str, *, channel: str = "web") -> str:
    """Let a customer ask, rate, call for people, be written to, and come through a channel; return the conversation."""
    log, inbox, channels = ConversationStore(database), InboxStore(database), ChannelStore(database)
    first = await log.begin(
        Question(text=f"{words} 怎么退货？", channel=channel, visitor=visitor, message_id=f"m-{visitor}")
    )
    answer = Answer(
        conversation_id=first.conversation_id,
        turn_id=first.id,
        outcome="direct",
        text=RETURNS.answer,
        confidence=0.91,
        standalone=f"{words} 退货",
        citations=[Citation(1, "shop", RETURNS.key, RETURNS.question, RETURNS.answer)],
    )
    await log.finish(answer)
    await log.add_feedback(first.id, "down", f"{words} 没用", visitor)
    second = await log.begin(
        Question(text=f"{words} 转人工", channel=channel, visitor=visitor, conversation_id=first.conversation_id)
    )
    await log.finish(Answer(conversation_id=first.conversation_id, turn_id=second.id, outcome="handoff", text="请稍候"))
    await log.hand_off(first.conversation_id, "asked", f"{words} 要人工")
    await inbox.take(first.conversation_id, "Olga", instead_of=None)
    await inbox.reply(first.conversation_id, "Olga", f"{words} 您好")
    await inbox.note(first.conversation_id, "Olga", f"{words} 难缠")
    await TrackerStore(database).save(
        first.conversation_id, TrackerState({"order": words}, [{"event": "slot", "value": words}], "order_status")
    )
    thread = visitor.partition(":")[2] or visitor
    incoming = Incoming(message_id=f"m-{visitor}", thread=thread, address={"user": thread}, text=f"{words} 怎么退货？")
    await channels.receive(channel, incoming)
    await channels.join(await channels.thread_of(channel, incoming), first.conversation_id)
    await MemoryStore(database).remember(channel, f"people:{thread}", "took")
    await MemoryStore(database).remember(channel, f"call:{words[-4:]}.7", first.conversation_id)
    await AuditStore(database).add("Olga", "conversation.taken", first.conversation_id, {"instead_of": None})
    await AuditStore(database).add("Olga", "review.ignore", f"{words} 怎么退货？", {"questions": 1})
    await ReviewStore(database).resolve({bare(f"{words} 怎么退货？")}, "ignore", "Olga")
    return first.conversation_id


async def contents(database: Database, *, without: tuple[str, ...] = ()) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, as Python sees it."""
    async with database.transaction() as session:
        return {
            table.name: [
                dict(row._mapping) for row in await session.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
            if table.name not in without
        }


async def everything_said(database: Database) -> str:
    """Return the text of every column of every row of every table that the database itself knows of."""
    async with database.transaction() as session:
        names = await (await session.connection()).run_sync(lambda connection: inspect(connection).get_table_names())
        rows = [row for name in names for row in await session.execute(text(f'SELECT * FROM "{name}"'))]
    return "\n".join(str(tuple(row)) for row in rows)
