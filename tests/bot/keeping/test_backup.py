from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from bot.errors import BackupError
from bot.keeping.archive import MANIFEST, reading
from bot.keeping.backup import LEFT_OUT, back_up
from bot.keeping.restore import is_unfinished, restore
from bot.question import Answer, Question
from bot.settings import Settings
from bot.store.conversations import ConversationStore
from bot.store.database import blocking_url, migration_config
from bot.store.inbox import InboxStore
from bot.store.knowledge import KnowledgeStore
from bot.visitors import KEPT_IN
from tests.bot.keeping.filled import contents, converse, fill, opened


def quiet(_done: int, _total: int) -> None:
    """Show nobody."""


def settings_of(url: str, folder: Path) -> Settings:
    folder.mkdir(exist_ok=True)
    return Settings(database_url=url, data_dir=folder, models_dir=folder / "models")


def put_back(settings: Settings, path: Path, *, replace: bool = False) -> None:
    with reading(path, quiet) as reader:
        restore(settings, reader, replace=replace, on_progress=quiet)


def keep_secret(folder: Path) -> None:
    """Put in what earlier versions kept beside the database."""
    (folder / KEPT_IN).write_text("of an earlier version")


async def filled(url: str) -> dict[str, list[dict[str, Any]]]:
    async with opened(url) as database:
        await fill(database)
        await converse(database, "kf:wm1", "订单 20261")
        await converse(database, "v-2", "订单 20262")
        return await contents(database, without=LEFT_OUT)


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Give a blank database of the other kind."""
    if not database_url.startswith("sqlite"):
        yield f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    server.execute("CREATE DATABASE other")
    yield server.url("other")
    server.execute("DROP DATABASE other WITH (FORCE)")


async def test_what_was_backed_up_is_restored_in_both_kinds_of_database(
    database_url: str, other_url: str, tmp_path: Path
) -> None:
    held = await filled(database_url)
    assert {name for name, rows in held.items() if not rows} == set()
    here = settings_of(database_url, tmp_path / "here")
    keep_secret(here.data_dir)
    back_up(here, tmp_path / "backup.zip", quiet)
    for url in (other_url, database_url):
        there = settings_of(url, tmp_path / "there")
        put_back(there, tmp_path / "backup.zip", replace=url == database_url)
        async with opened(url) as database:
            assert await contents(database, without=LEFT_OUT) == held
            assert (there.data_dir / KEPT_IN).read_text() == "of an earlier version"
            conversation = held["conversations"][0]["id"]
            await InboxStore(database).note(conversation, "Olga", "weiter")  # numbered behind what was restored
            [release] = await KnowledgeStore(database).current_releases(["shop"])
            assert len(await KnowledgeStore(database).released_entries(release)) == 2
        assert not is_unfinished(there)


async def test_only_the_owner_reads_a_backup_and_what_it_restores(sqlite_url: str, tmp_path: Path) -> None:
    settings = settings_of(sqlite_url, tmp_path / "here")
    keep_secret(settings.data_dir)
    back_up(settings, tmp_path / "backup.zip", quiet)
    put_back(settings, tmp_path / "backup.zip")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "backup.zip", settings.data_dir / KEPT_IN)]
    assert modes == [0o600, 0o600]
    assert [name for name in sorted(os.listdir(tmp_path)) if "backup" in name] == ["backup.zip"]


def rows_by_table(path: Path) -> dict[str, list[dict[str, Any]]]:
    with reading(path, quiet) as reader:
        return {
            table.name: [dict(zip(dict(table.columns), row, strict=True)) for row in reader.rows(table)]
            for table in reader.manifest.tables
        }


async def test_a_backup_made_while_questions_are_asked_is_of_one_moment(database_url: str, tmp_path: Path) -> None:
    stop = asyncio.Event()

    async def ask(log: ConversationStore, number: int) -> None:
        conversation = None
        while not stop.is_set():
            turn = await log.begin(Question(text=f"问题 {number}", conversation_id=conversation))
            await log.finish(Answer(conversation_id=turn.conversation_id, turn_id=turn.id, outcome="direct"))
            conversation = turn.conversation_id if conversation is None else None

    settings = settings_of(database_url, tmp_path / "here")
    async with opened(database_url) as database:
        asking = [asyncio.create_task(ask(ConversationStore(database), number)) for number in range(4)]
        try:
            for number in range(3):
                await asyncio.sleep(0.2)
                await asyncio.to_thread(back_up, settings, tmp_path / f"{number}.zip", quiet)
        finally:
            stop.set()
            await asyncio.gather(*asking)
    backups = [rows_by_table(tmp_path / f"{number}.zip") for number in range(3)]
    for rows in backups:
        conversations = {row["id"] for row in rows["conversations"]}
        assert {row["conversation_id"] for row in rows["turns"]} == conversations
        positions: dict[str, list[int]] = {}
        for row in rows["turns"]:
            positions.setdefault(row["conversation_id"], []).append(row["position"])
        assert all(sorted(found) == list(range(1, len(found) + 1)) for found in positions.values())
    asked = [len(rows["turns"]) for rows in backups]
    assert 0 < asked[0] < asked[1] < asked[2]  # the questions went on meanwhile


async def test_what_is_in_a_database_goes_only_if_it_may(database_url: str, tmp_path: Path) -> None:
    held = await filled(database_url)
    settings = settings_of(database_url, tmp_path / "here")
    back_up(settings, tmp_path / "backup.zip", quiet)
    async with opened(database_url) as database:
        await converse(database, "v-3", "后来的")
        with pytest.raises(BackupError, match="not empty"):
            put_back(settings, tmp_path / "backup.zip")
        assert len((await contents(database))["conversations"]) == 3
    put_back(settings, tmp_path / "backup.zip", replace=True)
    async with opened(database_url) as database:
        assert await contents(database, without=LEFT_OUT) == held


async def test_an_older_backup_is_brought_up_to_date(blank_url: str, tmp_path: Path) -> None:
    command.upgrade(migration_config(blank_url), "0001")
    engine = create_engine(blocking_url(blank_url))
    moment = "'2026-01-01 00:00:00'"
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO conversations VALUES ('c', 'web', 'bot', {moment}, {moment})"))
        connection.execute(text(f"INSERT INTO handoffs VALUES (7, 'c', 'asked', '', TRUE, {moment})"))
    engine.dispose()
    settings = settings_of(blank_url, tmp_path / "here")
    assert back_up(settings, tmp_path / "old.zip", quiet).revision == "0001"
    put_back(settings, tmp_path / "old.zip", replace=True)
    async with opened(blank_url) as database:
        assert [call["told"] for call in (await contents(database))["handoffs"]] == [{"webhook": 0}]
        assert (await ConversationStore(database).begin(Question(text="还在吗", conversation_id="c"))).history == ()


@pytest.mark.parametrize(("field", "value"), [("revision", "9999"), ("format", 99)])
async def test_a_newer_backup_is_refused(sqlite_url: str, tmp_path: Path, field: str, value: object) -> None:
    settings = settings_of(sqlite_url, tmp_path / "here")
    back_up(settings, tmp_path / "backup.zip", quiet)
    with zipfile.ZipFile(tmp_path / "backup.zip") as old, zipfile.ZipFile(tmp_path / "newer.zip", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, json.dumps(json.loads(content) | {field: value}) if name == MANIFEST else content)
    with pytest.raises(BackupError, match="newer FrontDesk"):
        put_back(settings, tmp_path / "newer.zip")


def contents_of(path: Path) -> set[int]:
    """Return the places of a zip's bytes that its files are made of; the last of each is padded."""
    whole = path.read_bytes()
    places: set[int] = set()
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name, extra = struct.unpack_from("<HH", whole, member.header_offset + 26)
            start = member.header_offset + 30 + name + extra
            places |= set(range(start, start + member.compress_size - 1))
    return places


def is_refused(content: bytes, folder: Path) -> bool:
    """Say whether a backup is called damaged; if it is read, all its rows must be there."""
    (folder / "damaged.zip").write_bytes(content)
    try:
        with reading(folder / "damaged.zip", quiet) as reader:
            rows = sum(1 for table in reader.manifest.tables for _ in reader.rows(table))
            assert rows == reader.manifest.rows
    except BackupError as error:
        if "damaged" not in str(error):
            raise
        return True
    return False


async def test_a_damaged_file_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    held = await filled(sqlite_url)
    settings = settings_of(sqlite_url, tmp_path / "here")
    back_up(settings, tmp_path / "backup.zip", quiet)
    whole = (tmp_path / "backup.zip").read_bytes()
    random = Random(7)
    places = [random.randrange(len(whole)) for _ in range(60)]
    flipped = [
        whole[:place] + bytes([whole[place] ^ 1 << random.randrange(8)]) + whole[place + 1 :] for place in places
    ]
    for content in (b"", b"no zip at all", whole[:-1], whole[: len(whole) // 2], whole[1_000:]):
        assert is_refused(content, tmp_path)
    held_by_members = contents_of(tmp_path / "backup.zip")
    assert held_by_members.intersection(places)
    for place, content in zip(places, flipped, strict=True):  # elsewhere it may be a date that nobody reads
        assert is_refused(content, tmp_path) or place not in held_by_members
    with pytest.raises(BackupError, match="cannot be read"):
        put_back(settings, tmp_path / "not there.zip")
    async with opened(sqlite_url) as database:
        assert await contents(database, without=LEFT_OUT) == held


KILLED = """
import os, signal, sys
from pathlib import Path
from bot.keeping.archive import reading
from bot.keeping.restore import restore
from bot.settings import Settings

url, folder, path = sys.argv[1:]
def die(done, total):
    if done == total:
        os.kill(os.getpid(), signal.SIGKILL)
with reading(Path(path), lambda done, total: None) as reader:
    restore(Settings(database_url=url, data_dir=folder), reader, replace=True, on_progress=die)
"""


async def test_a_restore_that_is_killed_leaves_the_old_state_and_says_so(database_url: str, tmp_path: Path) -> None:
    await filled(database_url)
    settings = settings_of(database_url, tmp_path / "here")
    back_up(settings, tmp_path / "backup.zip", quiet)
    async with opened(database_url) as database:
        await converse(database, "v-3", "后来的")
        held = await contents(database)
    arguments = (database_url, str(settings.data_dir), str(tmp_path / "backup.zip"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, *arguments, env=environment)
    await killed.wait()
    assert killed.returncode == -signal.SIGKILL
    assert is_unfinished(settings)
    async with opened(database_url) as database:
        assert await contents(database) == held
    put_back(settings, tmp_path / "backup.zip", replace=True)
    assert not is_unfinished(settings)


async def test_a_backup_overwrites_nothing_and_leaves_nothing_half_done(sqlite_url: str, tmp_path: Path) -> None:
    settings = settings_of(sqlite_url, tmp_path / "here")
    (tmp_path / "backup.zip").write_text("the last one")
    with pytest.raises(BackupError, match="already"):
        back_up(settings, tmp_path / "backup.zip", quiet)
    with pytest.raises(BackupError, match="cannot be written"):
        back_up(settings, tmp_path / "no folder" / "backup.zip", quiet)
    nothing = settings_of(f"sqlite:///{tmp_path / 'nothing.db'}", tmp_path / "here")
    with pytest.raises(BackupError, match="no database"):
        back_up(nothing, tmp_path / "new.zip", quiet)
    assert [name for name in sorted(os.listdir(tmp_path)) if ".zip" in name] == ["backup.zip"]
    assert not (tmp_path / "nothing.db").exists()


async def test_a_restore_into_a_database_that_is_in_use_is_refused(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(sqlite_url, tmp_path / "here")
    back_up(settings, tmp_path / "backup.zip", quiet)
    monkeypatch.setattr("bot.store.database.BUSY_MS", 50)
    engine = create_engine(blocking_url(sqlite_url))
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(BackupError, match="locked"):
            put_back(settings, tmp_path / "backup.zip")
    engine.dispose()
    assert not is_unfinished(settings)
