"""Whether anything grows in a server that runs for long: memory, open files, threads, tasks, the engine's sequences.

    python -m benchmarks.soak                        # half an hour at the server's capacity
    python -m benchmarks.soak --minutes 3            # a look
    python -m benchmarks.soak --requests 10000       # prompts for the engine alone, 17 to 47 minutes

Customers come as in `load.py`; three in ten leave as soon as their answer has begun. With `--requests` eight at once
put prompts to the local model over /v1, three in ten of which are cancelled in the middle. A sample each ten seconds;
the verdict is `flat` if after the first fifth a line through the memory, and the least of open files and of threads,
rise by less than 2 %, and if in the end, once nobody asks any more, no answer, sequence or task is left. Saves
soak.json and soak.html to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from benchmarks.customers import Customers
from benchmarks.drawing import lines
from benchmarks.load import AT_ONCE, SEED, busy_server, find_capacity, find_questions, summarise
from benchmarks.serving import RESULTS
from benchmarks.traffic import arrivals
from benchmarks.watching import Sample, look_closely
from knowledge.pages import page

LEAVING = 0.3
LOOK_SECONDS = 10.0
WARM_UP = 0.2
"""The share of the samples that is left out: what is kept on purpose has to fill first."""

MAX_GROWTH = 0.02
REST_SECONDS = 8.0
"""After the last customer: an answer without a reader goes on for five seconds."""

ANSWER_TOKENS = 24
A_FEW = 2
"""Open files and threads more are none that leak."""


async def watch(session: aiohttp.ClientSession, pid: int, samples: list[Sample]) -> None:
    """Look at the server again and again, until cancelled."""
    while True:
        samples.append(await look_closely(session, pid))
        await asyncio.sleep(LOOK_SECONDS)


async def ask_engine(session: aiohttp.ClientSession, questions: Sequence[str], requests: int) -> dict[str, int]:
    """Put so many prompts to the local model, leaving three in ten in the middle; what is refused is asked again."""
    chance, left = random.Random(SEED), iter(range(requests))
    fates = {"answered": 0, "left": 0, "refused": 0}
    async with session.get("/v1/models") as reply:
        model = (await reply.json())["data"][1]["id"]

    async def ask() -> str:
        messages = [{"role": "user", "content": chance.choice(questions)}]
        body = {"model": model, "messages": messages, "max_tokens": ANSWER_TOKENS, "stream": True}
        leaves, words = chance.random() < LEAVING, 0
        async with session.post("/v1/chat/completions", json=body) as reply:
            if reply.status == 503:
                await asyncio.sleep(float(reply.headers["Retry-After"]))
                return "refused"
            async for line in reply.content:
                words += b'"content"' in line
                if leaves and words > 2:
                    reply.close()
                    return "left"
        return "answered"

    async def customer() -> None:
        for _ in left:
            while (fate := await ask()) == "refused":
                fates["refused"] += 1
            fates[fate] += 1

    await asyncio.gather(*(customer() for _ in range(AT_ONCE)))
    return fates


async def run(minutes: float, requests: int, rate: float | None) -> dict[str, Any]:
    """Run the server under load, sampled; return the report."""
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder:
        pools = await find_questions(Path(folder))
        if not requests:
            rate = rate or await find_capacity(Path(folder), pools, 30)
            print(f"{rate:.1f} questions a second for {minutes:g} minutes")
        async with busy_server(Path(folder)) as (session, pid):
            customers = Customers(session, arrivals(pools, SEED), SEED, leaving=LEAVING)
            before = await look_closely(session, pid)
            watching = asyncio.create_task(watch(session, pid, samples))
            work: Coroutine[Any, Any, dict[str, Any]]
            if requests:
                work = ask_engine(session, [each for pool in pools.values() for each in pool], requests)
            else:
                work = visits(customers, rate or 1.0, minutes * 60)
            became = await work
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await asyncio.sleep(REST_SECONDS)
            after = await look_closely(session, pid)
    warm = samples[int(len(samples) * WARM_UP) :]
    growths = {"resident_mb": slope(warm), **{name: rise(warm, name) for name in ("files", "threads")}}
    leaks = {name: getattr(after, name) for name in ("answers", "sequences", "waiting")}
    leaks["tasks"] = max(0, after.tasks - before.tasks)
    flat = all(each < MAX_GROWTH for each in growths.values()) and not any(leaks.values())
    return {
        "minutes": round((samples[-1].at - samples[0].at) / 60, 1),
        "became": became,
        "growth": {name: round(each, 4) for name, each in growths.items()},
        "left_behind": leaks,
        "verdict": "flat" if flat else "growing",
        "before": before.to_dict(),
        "after": after.to_dict(),
        "samples": [sample.to_dict() for sample in samples],
    }


async def visits(customers: Customers, rate: float, seconds: float) -> dict[str, Any]:
    """Have customers come for so long; return what became of them."""
    came = await customers.come(rate, seconds)
    return {**summarise(came, seconds), "left": sum(visit.fate == "left" for visit in came)}


def slope(samples: Sequence[Sample]) -> float:
    """Return by which share a straight line through the resident memory rises from its start to its end."""
    if len(samples) < 3:
        return 0.0
    moments = np.array([sample.at - samples[0].at for sample in samples])
    rise, start = np.polyfit(moments, [sample.resident_mb for sample in samples], 1)
    return float(rise * moments[-1] / start)


def rise(samples: Sequence[Sample], name: str) -> float:
    """Return by which share the least of a count is more in the second half: what is open for a moment is no leak."""
    half = len(samples) // 2
    if not half:
        return 0.0
    before, after = (min(getattr(sample, name) for sample in part) for part in (samples[:half], samples[half:]))
    return float(max(0, after - before - A_FEW) / before)


def to_html(report: dict[str, Any]) -> str:
    """Return the report as a page."""
    samples = report["samples"]

    def line(name: str) -> list[tuple[float, float]]:
        return [(sample["at"] - samples[0]["at"], sample[name]) for sample in samples]

    counts = {name: line(name) for name in ("files", "threads", "tasks", "sequences")}
    return page(
        "Soak",
        [
            f"<h1>Soak: {report['verdict']}</h1>",
            f'<p class="quiet">{report["minutes"]} minutes; after warming up memory grew by '
            f"{report['growth']['resident_mb']:.2%}, open files by {report['growth']['files']:.2%}</p>",
            lines("Resident memory, MB", {"server": line("resident_mb")}),
            lines("Open files, threads, tasks, sequences", counts),
        ],
        "en",
    )


def main() -> None:
    """Read the options, run, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, help="questions a second, instead of the capacity that is measured")
    parser.add_argument("--requests", type=int, default=0, help="so many prompts for the engine, however long it takes")
    options = parser.parse_args()
    report = asyncio.run(run(options.minutes, options.requests, options.rate))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "soak.json").write_text(json.dumps(report, indent=1) + "\n")
    (RESULTS / "soak.html").write_text(to_html(report))
    print(json.dumps({name: report[name] for name in ("became", "growth", "left_behind", "verdict")}, indent=1))


if __name__ == "__main__":
    main()
