"""The engine beside its peers: same model file to begin with, threads and prompts, greedy, in turns.

    make bench-engine                                     # the whole of it: hours
    python -m benchmarks.engine --rounds 5 --questions 16 --concurrency 8

Each contender is a process of its own (benchmarks/contenders.py). They take turns, so that a busy machine is busy for
all of them; medians over the rounds. The workload is 50 entries with contexts of about 100 to 300 tokens, asked about
as Zipf's law has it, with answers of up to 64 tokens, after each entry was asked about once. Prints a table, and saves
it with all figures and a chart to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.search import EXAMPLES, read_questions
from bot.prompts import grounded
from bot.question import Citation
from bot.settings import load_settings
from knowledge.importing.files import read_faq_file
from knowledge.machine import available_threads
from knowledge.search import Query
from knowledge.weights.library import ModelLibrary

CONTENDERS = ("frontdesk", "frontdesk-as-given", "frontdesk-plain", "llama-class", "llama-cpp-python", "llama-server")
WITHOUT_MEMORY = ("llama-class", "llama-cpp-python")
"""They keep one prompt at most, so that asking about each entry once would not help them."""

RESULTS = Path(__file__).parent / "results"
ENTRIES, MAX_TOKENS = 50, 64
Messages = list[dict[str, str]]


@dataclass
class Contender:
    """A process that answers workloads."""

    name: str
    process: subprocess.Popen[str]
    rounds: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def start(cls, name: str, options: argparse.Namespace) -> Contender:
        """Start one and wait until it is ready."""
        numbers = (options.threads, options.slots, options.states)
        command = [sys.executable, "-m", "benchmarks.contenders", name, str(options.model), *map(str, numbers)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        contender = cls(name, process)
        contender._read()
        return contender

    def run(self, prompts: Sequence[Messages], concurrency: int, max_tokens: int = MAX_TOKENS) -> dict[str, Any]:
        """Answer prompts; return what was measured."""
        assert self.process.stdin is not None
        workload = {"prompts": prompts, "concurrency": concurrency, "max_tokens": max_tokens}
        self.process.stdin.write(json.dumps(workload) + "\n")
        self.process.stdin.flush()
        return self._read()

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        sys.exit(f"{self.name} has ended")


def make_prompts(count: int, seed: int) -> list[Messages]:
    """Return questions on the entries, each in new words: a variant or a paraphrase, with another ending."""
    entries = read_faq_file(EXAMPLES / "shop-zh" / "faq.csv").entries
    chosen = random.Random(0)
    contexts = [chosen.sample(entries, chosen.randint(1, 4)) for _ in range(ENTRIES)]
    asked: dict[str, list[str]] = {}
    for case in read_questions("shop-zh"):
        for key in case.keys:
            asked.setdefault(key, []).append(case.question)
    drawn = random.Random(seed)
    weights = [1 / (place + 1) for place in range(ENTRIES)]
    prompts = []
    for entries_ in drawn.choices(contexts, weights, k=count):
        about = drawn.choice(entries_)
        question = drawn.choice([about.question, *about.variants, *asked.get(about.key, [])])
        citations = [
            Citation(number, "shop", entry.key, entry.question, entry.answer)
            for number, entry in enumerate(entries_, start=1)
        ]
        messages = grounded("zh", citations, Query(drawn.choice(("请问", "你好，", "", "那")) + question))
        prompts.append([{"role": message.role, "content": message.content} for message in messages])
    return prompts


def every_entry() -> list[Messages]:
    """Return a prompt on each context, to warm up with."""
    seen: dict[str, Messages] = {}
    for messages in make_prompts(40 * ENTRIES, seed=-1):
        seen.setdefault(messages[0]["content"], messages)
    return list(seen.values())


def memory_bandwidth() -> float:
    """Return how many bytes a second this machine reads, with as many threads as it has cores."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only here

    arrays = [np.ones(64 << 20, np.float32) for _ in range(available_threads())]
    best = 0.0
    with ThreadPoolExecutor(len(arrays)) as threads:
        for _ in range(5):
            begun = time.perf_counter()
            list(threads.map(np.max, arrays))
            best = max(best, sum(array.nbytes for array in arrays) / (time.perf_counter() - begun))
    return best


def summarise(rounds: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the figures of a contender at one concurrency: medians over rounds, quantiles over all answers.

    `decode_tokens_a_second` is that of one answer after its first words, of all tokens: long answers count for more.
    """
    first = [seconds for one in rounds for seconds in one["first"]]
    tokens = [tokens - 1 for one in rounds for tokens in one["tokens"]]
    after = [whole - first for one in rounds for whole, first in zip(one["whole"], one["first"], strict=True)]
    return {
        "answers_a_second": statistics.median(len(one["first"]) / one["seconds"] for one in rounds),
        "tokens_a_second": statistics.median(sum(one["tokens"]) / one["seconds"] for one in rounds),
        "first_p50": float(np.quantile(first, 0.5)),
        "first_p90": float(np.quantile(first, 0.9)),
        "decode_tokens_a_second": sum(tokens) / sum(after),
    }


def to_svg(title: str, figures: dict[str, float]) -> str:
    """Draw one figure of all contenders as bars."""
    top = max(figures.values()) or 1.0
    rows = "".join(
        f'<text x="0" y="{34 + 26 * place}">{name}</text>'
        f'<rect x="150" y="{20 + 26 * place}" width="{400 * value / top:.1f}" height="18" fill="#2563eb"/>'
        f'<text x="{156 + 400 * value / top:.1f}" y="{34 + 26 * place}">{value:.2f}</text>'
        for place, (name, value) in enumerate(figures.items())
    )
    height = 30 + 26 * len(figures)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" font-family="sans-serif" font-size="13">'
        f'<text x="0" y="12" font-weight="bold">{title}</text>{rows}</svg>'
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Let the contenders take turns; return all figures."""
    contenders = [Contender.start(name, options) for name in options.contenders]
    console, report = Console(), {"model": options.model.name, "threads": options.threads, "figures": {}}
    try:
        cold = {one.name: one.run(every_entry()[:4], 4)["seconds"] for one in contenders}
        for one in contenders:
            if one.name not in WITHOUT_MEMORY:
                one.run(every_entry(), 4, max_tokens=1)
        report["cold_seconds_4_questions"] = cold
        for concurrency in options.concurrency:
            for round_ in range(options.rounds):
                prompts = make_prompts(options.questions, seed=1_000 * concurrency + round_)
                for one in contenders:
                    one.rounds.append(one.run(prompts, concurrency))
                    console.print(f"  {concurrency} at once, round {round_ + 1}: {one.name}", end="\r")
            report["figures"][concurrency] = {one.name: summarise(one.rounds) for one in contenders}
            report.setdefault("facts", {})[concurrency] = {one.name: one.rounds[-1]["facts"] for one in contenders}
            for one in contenders:
                one.rounds.clear()
    finally:
        for one in contenders:
            one.stop()
    report["bandwidth"], report["bytes"] = memory_bandwidth(), options.model.stat().st_size
    return report


def show(report: dict[str, Any]) -> None:
    """Print the table, and save it."""
    console = Console(width=140, record=True)
    for concurrency, figures in report["figures"].items():
        heads = ("", "answers/s", "first words p50", "p90", "tokens/s, all", "tokens/s, one")
        table = Table(*heads, title=f"{concurrency} at once")
        for name, one in figures.items():
            table.add_row(
                name,
                f"{one['answers_a_second']:.2f}",
                f"{one['first_p50']:.2f} s",
                f"{one['first_p90']:.2f} s",
                f"{one['tokens_a_second']:.0f}",
                f"{one['decode_tokens_a_second']:.0f}",
            )
        console.print(table)
    for name, facts in list(report["facts"].values())[-1].items():
        if facts:
            console.print(
                f"{name}: {facts['beyond_weights'] / 1e6:.0f} MB beyond the weights, {facts['overhead']:.1%} of the "
                f"time is not llama.cpp's, {facts['accepted']:,} of {facts['drafted']:,} guesses were right"
            )
    for name, seconds in report["cold_seconds_4_questions"].items():
        console.print(f"{name}: the first four questions, all at once, took {seconds:.1f} s")
    console.print(f"memory gives {report['bandwidth'] / 1e9:.1f} GB/s; the file has {report['bytes'] / 1e6:.0f} MB")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "engine.json").write_text(json.dumps(report, indent=1))
    for concurrency, figures in report["figures"].items():
        values = {name: one["answers_a_second"] for name, one in figures.items()}
        (RESULTS / f"engine-{concurrency}.svg").write_text(to_svg(f"answers a second, {concurrency} at once", values))
    console.print(f"saved to {RESULTS / 'engine.json'}")


def main() -> None:
    """Read the options, measure, show."""
    settings = load_settings()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--threads", type=int, default=available_threads())
    parser.add_argument("--slots", type=int, default=8, help="of our engine")
    parser.add_argument("--states", type=int, default=512, help="MB for the states of our engine; 64 as it is shipped")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--questions", type=int, default=80, help="in each round")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=CONTENDERS)
    options = parser.parse_args()
    library = ModelLibrary(settings.models_dir.expanduser())
    options.model = options.model or library.find(settings.models.chat, "chat").path
    show(measure(options))


if __name__ == "__main__":
    main()
