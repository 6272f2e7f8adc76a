from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from bot.errors import NotFound
from bot.keeping.housekeeping import Housekeeper
from bot.question import Question
from bot.store.audit import AuditStore
from bot.store.conversations import ConversationStore
from bot.store.customers import CustomerStore
from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from bot.store.tables import RunningAnswerRow, now
from bot.visitors import visitor_of_user
from knowledge.entries import Entry
from tests.bot.keeping.filled import contents, converse, everything_said

HER, HIS = "zebra8801", "koala9902"
"""What a random number or a time never holds."""


async def two_customers(database: Database) -> tuple[str, str]:
    """Let two customers of a channel converse, and return their conversations; she has had an earlier one."""
    earlier = await ConversationStore(database).begin(Question(text=f"{HER} 到哪了", channel="kf", visitor="kf:wm-her"))
    hers = await converse(database, "kf:wm-her", HER, channel="kf")
    await AuditStore(database).add("Olga", "customer.exported", "wm-her", {})
    assert earlier.conversation_id != hers
    his = await converse(database, "kf:wm-his", HIS, channel="kf")
    async with database.transaction() as session:
        session.add(running("a", earlier.id, None, HER))
        session.add(running("b", None, "kf:wm-her", HER))
        session.add(running("c", None, "kf:wm-his", HIS))
    return hers, his


def running(name: str, turn: str | None, visitor: str | None, said: str) -> RunningAnswerRow:
    """Return an answer that another replica may read still."""
    events = [["token", {"text": said}]]
    return RunningAnswerRow(
        id=name, turn_id=turn, visitor=visitor, events=events, held_until=now(), read_until=now(), ended_at=now()
    )


@pytest.mark.parametrize("known_as", ["wm-her", "kf:wm-her", "the conversation"])
async def test_everything_is_erased_everywhere_and_of_nobody_else(database: Database, known_as: str) -> None:
    hers, his = await two_customers(database)
    held = await contents(database)
    await CustomerStore(database).erase(hers if known_as == "the conversation" else known_as, "Olga")
    said = await everything_said(database)
    assert [word for word in (HER, "wm-her", hers) if word in said] == []
    left = await contents(database)

    def of_him(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        mine = (HIS, "wm-his", his)
        return {name: [row for row in rows if any(word in str(row) for word in mine)] for name, rows in tables.items()}

    assert of_him(left) == of_him(held)
    assert len(of_him(left)["turns"]) == 2
    [done] = [row for row in left["audit"] if row["action"] == "customer.erased"]
    assert (done["actor"], done["target"]) == ("Olga", "[erased]")
    assert done["details"] == {"conversations": 2, "turns": 3, "threads": 1}


async def test_an_sqlite_file_holds_nothing_of_whom_it_has_forgotten(database: Database) -> None:
    path = make_url(str(database.engine.url)).database
    if database.engine.dialect.name == "postgresql":  # clears its files up by itself, in its own time
        with pytest.raises(NotFound):
            await CustomerStore(database).erase("nobody", "Olga")
        return
    await two_customers(database)
    await CustomerStore(database).erase("wm-her", "Olga")
    assert path is not None
    files = b"".join(file.read_bytes() for file in Path(path).parent.glob(f"{Path(path).name}*"))
    assert (b"wm-his" in files, b"wm-her" in files, HER.encode() in files) == (True, False, False)


async def test_an_export_has_everything_that_is_kept(database: Database) -> None:
    hers, his = await two_customers(database)
    held = await CustomerStore(database).export("wm-her")
    text = json.dumps(held, ensure_ascii=False)
    assert [word for word in (HIS, "wm-his", his) if word in text] == []
    counts = {name: len(rows) for name, rows in held.items()}
    assert counts == {
        "conversations": 2, "turns": 3, "feedback": 1, "messages": 3, "handoffs": 1, "trackers": 1, "threads": 1,
        "received": 1, "channel_memory": 2, "reviewed": 1, "in_faq": 0,
    }  # fmt: skip
    assert held["turns"][1]["question"] == f"{HER} 怎么退货？"
    assert held["conversations"][1]["id"] == hers


async def test_a_user_of_the_site_is_found_by_the_sites_own_id(database: Database) -> None:
    await converse(database, visitor_of_user("anna@example.com"), HER)
    found = await CustomerStore(database).customer("anna@example.com")
    assert (found.conversations, found.turns, found.channels) == (1, 2, ["web"])
    await CustomerStore(database).erase("anna@example.com", "Olga")
    with pytest.raises(NotFound):
        await CustomerStore(database).customer("anna@example.com")


async def test_whoever_looks_is_told_which_entries_have_the_customers_words(database: Database) -> None:
    await ConversationStore(database).begin(Question(text="我的猫能退吗", visitor="v-1"))
    entry = Entry(key="CAT", question="宠物退货", answer="不能", variants=("我的猫能退吗",))
    await KnowledgeStore(database).upsert("shop", [entry])
    store = CustomerStore(database)
    assert (await store.customer("v-1")).in_faq == ["shop/CAT"]
    assert (await store.erase("v-1", "Olga")).in_faq == ["shop/CAT"]


async def test_a_part_of_a_name_is_nobody(database: Database) -> None:
    await two_customers(database)
    for name in ("her", "wm", "kf", "wm_her", "%", "1"):
        with pytest.raises(NotFound):
            await CustomerStore(database).customer(name)


async def test_every_process_forgets_whoever_was_erased_in_another(database: Database) -> None:
    await two_customers(database)
    forgotten: list[str] = []
    keeper = Housekeeper(database, 0, lambda: forgotten.append("memory"))
    await keeper.tidy()
    assert forgotten == []
    await CustomerStore(database).erase("wm-her", "command line")
    await keeper.tidy()
    await keeper.tidy()
    assert forgotten == ["memory"]
