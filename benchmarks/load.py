"""What a server does with more questions than it can answer: half, once, twice and five times its capacity.

    python -m benchmarks.load                      # under eight minutes on two quiet cores
    python -m benchmarks.load --seconds 10         # a shorter look

Real `frontdesk serve` processes with both example FAQs, beside a small server that stands for the larger model, that of
the tests. Customers come as a Poisson process and do not wait for each other (`customers.py`); 70 % ask what is
answered directly, 25 % what the local model words, 5 % what goes to the larger model, each as Zipf's law has it and in
a hundred wordings (`traffic.py`). Prints a table and saves load.json and load.html to benchmarks/results/.

Capacity is what a server that sheds nothing answers a second while as many customers ask one question after the other
as the engine has slots.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from benchmarks.customers import Customers, Visit
from benchmarks.drawing import lines
from benchmarks.serving import RESULTS, server
from benchmarks.traffic import EXAMPLES, arrivals, bases, sort_by_outcome
from benchmarks.watching import Sample, look_at, look_closely
from knowledge.pages import page, section, table
from tests.bot.models.test_remote import Endpoint
from tests.bot.servers import serving

RATES = (0.5, 1.0, 2.0, 5.0)
AT_ONCE = 8
SEED = 7
GOAL_DIRECT_P99_MS = 250
HEADS = {
    "times": "× capacity",
    "offered": "offered",
    "offered_per_s": "a second",
    "answered": "answered",
    "direct": "direct",
    "grounded": "grounded",
    "shed": "shed",
    "degraded": "degraded",
    "refused": "refused",
    "errors": "errors",
    "direct_p50_ms": "direct p50 ms",
    "direct_p99_ms": "direct p99 ms",
    "first_words_p50_ms": "first words p50 ms",
    "first_words_p99_ms": "first words p99 ms",
    "resident_before_mb": "MB before",
    "resident_after_mb": "MB after",
    "busy_cores": "cores busy",
}
"""Of a row. `shed` is what the engine refused, by its own count; `degraded` are the answers that say so, these among
them."""


@asynccontextmanager
async def busy_server(folder: Path, **settings: str) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """Run a server as customers meet it, beside a larger model; give a client without limits, and its process id."""
    with serving(Endpoint()) as remote:
        larger = {"REMOTE__BASE_URL": f"{remote}/v1", "REMOTE__MODEL": "big"}
        with server(folder, EXAMPLES, **larger, **settings) as (client, process, _):
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(str(client.base_url), connector=connector) as session:
                yield session, process.pid


async def find_questions(folder: Path) -> dict[str, list[str]]:
    """Return the questions by what becomes of them."""
    async with busy_server(folder, MODELS__CHAT="") as (session, _):
        pools = await sort_by_outcome(session, bases(SEED))
    print("questions:", ", ".join(f"{len(pool)} {kind}" for kind, pool in pools.items()))
    return pools


async def find_capacity(folder: Path, pools: dict[str, list[str]], seconds: float) -> float:
    """Return what is answered a second by a server that sheds nothing, while as many ask as the engine has slots."""
    async with busy_server(folder, MODELS__PATIENCE_SECONDS="600") as (session, _):
        customers = Customers(session, arrivals(pools, SEED), SEED)
        await customers.take_turns(AT_ONCE, seconds / 2)  # prompts' beginnings are computed once
        begun = time.monotonic()
        visits = await customers.take_turns(AT_ONCE, seconds)
        return sum(visit.fate == "answered" for visit in visits) / (time.monotonic() - begun)


async def run(seconds: float, rates: Sequence[float], capacity: float | None) -> dict[str, Any]:
    """Find the capacity, then offer each of its multiples for so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        pools = await find_questions(Path(folder))
        if capacity is None:
            capacity = await find_capacity(Path(folder), pools, seconds)
        print(f"capacity: {capacity:.1f} answers a second")
        async with busy_server(Path(folder)) as (session, pid):
            customers = Customers(session, arrivals(pools, SEED), SEED)
            samples, rows = [look_at(pid)], []
            for times in rates:
                rows.append(await offer(customers, session, pid, times, times * capacity, seconds, samples))
                print("  ".join(f"{head} {rows[-1][name]}" for name, head in HEADS.items()), flush=True)
                print(*rows[-1]["troubles"], sep="\n", end="", flush=True)
    start = samples[0].at
    return {
        "cores": os.cpu_count(),
        "load_average_before": os.getloadavg()[0],
        "seconds": seconds,
        "capacity_per_s": round(capacity, 2),
        "rows": rows,
        "memory": [(round(sample.at - start, 1), sample.resident_mb) for sample in samples],
        "marks": {round(row.pop("began") - start, 1): f"{row['times']:g} ×" for row in rows},
    }


async def offer(
    customers: Customers,
    session: aiohttp.ClientSession,
    pid: int,
    times: float,
    rate: float,
    seconds: float,
    samples: list[Sample],
) -> dict[str, Any]:
    """Offer one rate; return a row of the table."""
    before = await look_closely(session, pid)
    watching = asyncio.create_task(watch(pid, samples))
    visits = await customers.come(rate, seconds)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    after = await look_closely(session, pid)
    row = {"times": times, **summarise(visits, seconds), "shed": after.shed - before.shed}
    row |= {"resident_before_mb": before.resident_mb, "resident_after_mb": after.resident_mb}
    row["busy_cores"] = round((after.cpu - before.cpu) / (after.at - before.at), 2)
    return {name: row[name] for name in HEADS} | {"began": before.at, "troubles": row["troubles"]}


async def watch(pid: int, samples: list[Sample]) -> None:
    """Look at a process each second, until cancelled."""
    while True:
        samples.append(look_at(pid))
        await asyncio.sleep(1)


def summarise(visits: Sequence[Visit], seconds: float) -> dict[str, Any]:
    """Return the figures of what became of visits."""
    direct = [visit.whole * 1_000 for visit in visits if visit.is_direct and visit.whole is not None]
    worded = [visit.first * 1_000 for visit in visits if visit.is_grounded and visit.first is not None]
    refused = [visit for visit in visits if visit.fate == "refused"]
    troubles = [visit.trouble for visit in visits if visit.fate == "failed"]
    troubles += ["refused without a reason or Retry-After" for visit in refused if not visit.told]
    return {
        "offered": len(visits),
        "offered_per_s": round(len(visits) / seconds, 1),
        "answered": sum(visit.fate == "answered" for visit in visits),
        "direct": len(direct),
        "grounded": len(worded),
        "degraded": sum(visit.degraded for visit in visits),
        "refused": len(refused),
        "errors": len(troubles),
        "troubles": sorted(set(troubles))[:5],
        **percentiles("direct", direct),
        **percentiles("first_words", worded),
    }


def percentiles(name: str, milliseconds: Sequence[float]) -> dict[str, float | None]:
    """Return the median and the 99th percentile, None of nothing."""
    return {
        f"{name}_p{place}_ms": round(float(np.percentile(milliseconds, place)), 1) if milliseconds else None
        for place in (50, 99)
    }


def to_html(report: dict[str, Any]) -> str:
    """Return the report as a page."""
    about = f"{report['cores']} cores, load before {report['load_average_before']:.1f}, {report['seconds']:g} s a rate"
    rows = [
        "<tr>" + "".join(f'<td class="number">{escape(str(row[name]))}</td>' for name in HEADS) + "</tr>"
        for row in report["rows"]
    ]
    waits = {
        label: [(row["times"], row[name] or 0) for row in report["rows"]]
        for label, name in (("direct, p50", "direct_p50_ms"), ("direct, p99", "direct_p99_ms"))
    }
    top = max(row["times"] for row in report["rows"])
    waits["goal"] = [(0, GOAL_DIRECT_P99_MS), (top, GOAL_DIRECT_P99_MS)]
    return page(
        "Load",
        [
            f'<h1>Load</h1><p class="quiet">{escape(about)}; capacity {report["capacity_per_s"]} answers a second</p>',
            section(
                "Rates", f'<div style="overflow-x:auto">{table(list(HEADS.values()), rows, list(HEADS.values()))}</div>'
            ),
            lines("Direct answers, milliseconds by multiples of capacity", waits, unit="×"),
            lines("Resident memory, MB", {"server": report["memory"]}, report["marks"]),
        ],
        "en",
    )


def main() -> None:
    """Read the options, run, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45.0, help="for each rate")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="multiples of the capacity")
    parser.add_argument("--capacity", type=float, help="answers a second, instead of measuring it")
    options = parser.parse_args()
    report = asyncio.run(run(options.seconds, options.rates, options.capacity))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "load.json").write_text(json.dumps(report, indent=1) + "\n")
    (RESULTS / "load.html").write_text(to_html(report))


if __name__ == "__main__":
    main()
