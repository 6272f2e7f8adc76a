"""Backup, restore, retention and erasure as commands."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.cli.common import read_settings, with_store
from bot.keeping.restore import UNFINISHED
from bot.question import Question
from bot.store.conversations import ConversationStore
from bot.store.tables import ConversationRow, now
from tests.bot.cli.conftest import Run


def ask(words: str, *, days_ago: int = 0) -> None:
    """Have the visitor v-1 ask something."""

    async def work(store: ConversationStore) -> None:
        turn = await store.begin(Question(text=words, visitor="v-1"))
        is_it = ConversationRow.id == turn.conversation_id
        async with store.database.transaction() as session:
            then = now() - timedelta(days=days_ago)
            await session.execute(update(ConversationRow).where(is_it).values(updated_at=then))

    with_store(read_settings(), ConversationStore, work)


@pytest.mark.sqlite  # whose database is in the folder
def test_everything_comes_back_on_a_new_machine(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("frontdesk.toml").write_text('[bot]\nname = "小福"\n')
    ask("怎么退货")
    made = frontdesk("backup", "monday.backup")
    assert made.status == 0, made.err
    assert "1 conversations and 1 turns; files: frontdesk.toml" in made.out
    new = Path("new")
    new.mkdir()
    backup = Path("monday.backup").resolve()
    monkeypatch.chdir(new)
    restored = frontdesk("restore", str(backup))
    assert restored.status == 0, restored.err
    assert read_settings().bot.name == "小福"
    assert stat.S_IMODE(Path("frontdesk.toml").stat().st_mode) == 0o600
    assert "1 conversations" in frontdesk("customers", "show", "v-1").out
    assert not (Path("data") / UNFINISHED).exists()


def test_what_is_refused_is_said_in_a_line(frontdesk: Run) -> None:
    ask("怎么退货")
    frontdesk("backup", "monday.backup")
    Path("damaged").write_bytes(Path("monday.backup").read_bytes()[:-100])
    for arguments, reason in (
        (("backup", "monday.backup"), "already"),
        (("restore", "monday.backup"), "not empty; with --replace"),
        (("restore", "damaged"), "damaged"),
        (("restore", "nothing"), "cannot be read"),
    ):
        refused = frontdesk(*arguments)
        assert (refused.status, reason in refused.err) == (1, True), refused.err
    assert frontdesk("restore", "monday.backup", "--replace").status == 0


def test_old_conversations_are_counted_and_emptied(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("老问题 7001", days_ago=40)
    ask("新问题 7002")
    refused = frontdesk("conversations", "prune")
    assert (refused.status, "for ever" in refused.err) == (1, True)
    monkeypatch.setenv("FRONTDESK_PRIVACY__KEEP_DAYS", "30")
    assert frontdesk("conversations", "prune", "--count").out == "1 conversations are older than 30 days\n"
    assert frontdesk("conversations", "prune").out == "1 conversations older than 30 days were emptied\n"
    assert frontdesk("conversations", "prune", "--days", "60").out.startswith("0 ")


def test_a_customer_is_shown_exported_and_erased(frontdesk: Run) -> None:
    ask("订单 8801")
    assert "1 conversations, 1 questions" in frontdesk("customers", "show", "v-1").out
    assert json.loads(frontdesk("customers", "export", "v-1").out)["turns"][0]["question"] == "订单 8801"
    frontdesk("customers", "export", "v-1", "-o", "v-1.json")
    assert stat.S_IMODE(Path("v-1.json").stat().st_mode) == 0o600
    assert frontdesk("customers", "erase", "v-1", "--yes").out.endswith("a backup made before still has it\n")
    gone = frontdesk("customers", "show", "v-1")
    assert (gone.status, "nothing is kept" in gone.err) == (1, True)
