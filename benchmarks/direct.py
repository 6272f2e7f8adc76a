"""How many questions a second are answered without a chat model, how long each waits, and where the time goes.

    python -m benchmarks.direct                  # the desk, in this process
    python -m benchmarks.direct --http           # POST /api/chat of a `frontdesk serve`, beside this process

The questions are those of shop-zh that are answered directly, each opened and ended in other words and about an order
of its own, so that every one is distinct; and, repeated, 50 of them again and again. The local chat model is off, the
log is an SQLite file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle, product
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.search import EXAMPLES, read_questions
from benchmarks.serving import server
from bot.assembly import open_desk
from bot.desk import FrontDesk
from bot.question import Finished, Question
from bot.settings import Settings, load_settings
from bot.store.database import Database, upgrade
from bot.store.knowledge import KnowledgeStore
from knowledge.importing.files import read_faq_file
from knowledge.search import Searcher

RESULTS = Path(__file__).parent / "results"
CONCURRENCY = (1, 8, 32)
REPEATED = 50
OPENINGS = ("", "你好，", "请问", "请问一下，", "想问下", "在吗？", "亲，", "麻烦问一下，", "您好，请问", "咨询一下，")
ENDINGS = ("", "？", "呢？", "，谢谢", "，急", "！", "，多谢了", "，在线等", "～", "，麻烦了")

Ask = Callable[[str], Awaitable[str]]
"""Asks a question; gives the outcome."""


class Stopwatch:
    """Adds up the time that is spent in some methods."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seconds: dict[str, float] = defaultdict(float)

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Measure a method that blocks."""
        measured = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            try:
                return measured(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - begun

        setattr(owner, method, timed)

    def watch_async(self, owner: Any, method: str, name: str) -> None:
        """Measure a coroutine, with all that it waits for."""
        measured = getattr(owner, method)

        async def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            try:
                return await measured(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - begun

        setattr(owner, method, timed)

    def take(self, answers: int) -> dict[str, float]:
        """Return the milliseconds an answer, and begin again."""
        taken = {name: round(seconds * 1_000 / answers, 2) for name, seconds in sorted(self.seconds.items())}
        self.seconds.clear()
        return taken


@asynccontextmanager
async def desk_in(folder: Path) -> AsyncIterator[FrontDesk]:
    """Open a desk over shop-zh, with a database of its own and no chat model."""
    own = load_settings()
    settings = Settings(
        models_dir=own.models_dir,
        models=own.models.model_copy(update={"chat": ""}),
        data_dir=folder,
        database_url=f"sqlite+aiosqlite:///{folder / 'frontdesk.db'}",
    )
    await asyncio.to_thread(upgrade, settings.resolved_database_url)
    database = Database(settings.resolved_database_url)
    store = KnowledgeStore(database)
    await store.upsert("shop", read_faq_file(EXAMPLES / "shop-zh" / "faq.csv").entries)
    await store.publish("shop")
    await database.close()
    parts = await open_desk(settings)
    try:
        yield parts.desk
    finally:
        await parts.close()


async def ask_desk(desk: FrontDesk, question: str) -> str:
    """Ask the desk a question; return the outcome."""
    outcome = ""
    async for event in desk.answer(Question(text=question)):
        if isinstance(event, Finished):
            outcome = event.answer.outcome
    return outcome


async def direct_questions(ask: Ask) -> list[str]:
    """Return the questions of shop-zh that are answered directly."""
    asked = [case.question for case in read_questions("shop-zh") if case.keys and not case.earlier]
    return [question for question in asked if await ask(question) == "direct"]


def distinct(questions: list[str]) -> Iterator[str]:
    """Yield each question in many ways, never one twice, also without the greetings and thanks."""
    ways = product(range(1_000), OPENINGS, ENDINGS, questions)
    for number, (_, opening, ending, question) in enumerate(ways, start=100_000):
        yield f"{opening}订单{number}的{question}{ending}"


async def measure(ask: Ask, questions: Iterator[str], concurrency: int, seconds: float) -> dict[str, float]:
    """Ask for some seconds; return answers a second, the milliseconds they took, and those of one core they cost."""
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def customer() -> None:
        while (begun := time.perf_counter()) < end:
            await ask(next(questions))
            waits.append((time.perf_counter() - begun) * 1_000)

    begun, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(customer() for _ in range(concurrency)))
    spent, worked = time.perf_counter() - begun, time.process_time() - worked
    p50, p99 = np.percentile(waits, [50, 99])
    return {
        "answers": len(waits),
        "answers_per_s": round(len(waits) / spent, 1),
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
        "core_ms": round(worked * 1_000 / len(waits), 2),
    }


async def measure_all(ask: Ask, stopwatch: Stopwatch, seconds: float) -> list[dict[str, Any]]:
    """Measure distinct and repeated questions at each concurrency, printing as it goes."""
    questions = await direct_questions(ask)
    different, same = distinct(questions), cycle(questions[:REPEATED])
    print(f"{len(questions)} questions are answered directly")
    rows = []
    for kind, concurrency in product(("distinct", "repeated"), CONCURRENCY):
        stopwatch.seconds.clear()
        row = await measure(ask, different if kind == "distinct" else same, concurrency, seconds)
        shares = stopwatch.take(int(row["answers"]))
        rows.append({"questions": kind, "concurrency": concurrency, **row, "ms_an_answer": shares})
        parts = "  ".join(f"{name} {share}" for name, share in shares.items())
        print(
            f"{kind} × {concurrency:<3} {row['answers_per_s']:>7} answers/s   p50 {row['p50_ms']:>6} ms   "
            f"p99 {row['p99_ms']:>6} ms   "
            f"{row['core_ms']:>6} core-ms   {parts}"
        )
    return rows


async def in_process(seconds: float) -> list[dict[str, Any]]:
    """Measure the desk."""
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        async with desk_in(Path(folder)) as desk:
            stopwatch.watch(desk.knowledge.embedder, "embed_queries", "embedding")
            stopwatch.watch(Searcher, "search", "search and embedding")
            stopwatch.watch_async(desk.conversations, "begin", "begin")
            stopwatch.watch_async(desk.conversations, "finish", "finish")
            return await measure_all(lambda question: ask_desk(desk, question), stopwatch, seconds)


async def over_http(address: str, seconds: float) -> list[dict[str, Any]]:
    """Measure a server; asking it takes a part of the same processor."""
    limits = httpx.Limits(max_connections=max(CONCURRENCY), max_keepalive_connections=max(CONCURRENCY))
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:

        async def ask(question: str) -> str:
            reply = await client.post("/api/chat", json={"question": question})
            outcome: str = reply.raise_for_status().json()["outcome"]
            return outcome

        return await measure_all(ask, Stopwatch(), seconds)


def main() -> None:
    """Read the options, measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--http", action="store_true", help="ask a server instead of the desk")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each of the six rows")
    options = parser.parse_args()
    if options.http:
        os.environ["FRONTDESK_MODELS__CHAT"] = ""
        with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (client, _, _):
            rows = asyncio.run(over_http(str(client.base_url), options.seconds))
    else:
        rows = asyncio.run(in_process(options.seconds))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("direct-http.json" if options.http else "direct.json")
    path.write_text(json.dumps({"cores": os.cpu_count(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
