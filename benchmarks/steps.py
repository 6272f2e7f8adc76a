"""What a step of llama.cpp takes, by its rows and threads: whether it is memory that it waits for.

    python -m benchmarks.steps            # a minute; wants a quiet machine

All rows of a step share one reading of the weights. If a step of one row took as long as that reading, a second row
would come for nothing; what it costs instead is arithmetic. Rows belong to sequences of their own, each with so many
tokens before it as an answer from an entry has. Then steps of one row with nothing before it, with an entry, and with
other entries in the same context, beside what the memory gives in the same turn. All take turns; medians. Saves
steps.json to benchmarks/results/.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from rich.console import Console
from rich.table import Table

from benchmarks.engine import memory_bandwidth
from bot.assembly import chat_weights
from bot.models.engine.context import Context
from bot.settings import load_settings
from knowledge.llama import LlamaModel

RESULTS = Path(__file__).parent / "results"
ROWS, THREADS = (1, 2, 4, 8), (1, 2)
BEFORE, OTHERS, ROUNDS, STEPS = 300, 3_000, 9, 12
AROUND = {"nothing before": (1, 0), "an entry before": (BEFORE, 0), "and ten others beside": (BEFORE, OTHERS)}
"""Tokens before a row and in other sequences."""

TABLE = "token_embd.weight"
"""The tensor of which a step reads one row only, unless it is the output's as well."""


class Steps:
    """A context whose sequences all go on from the same tokens, beside those of another."""

    def __init__(self, model: LlamaModel, threads: int, before: int = BEFORE, others: int = 0) -> None:
        """Compute what is there; the others come first, as entries that were asked about earlier do."""
        sequences = max(ROWS) + 1
        self._before = before
        self._context = Context(
            model, cells=4_096, sequences=sequences, rows=BEFORE, outputs=sequences, threads=threads
        )
        self._fill(max(ROWS), others)
        self._fill(0, before)
        for sequence in range(1, max(ROWS)):
            self._context.share(0, sequence, before)

    def _fill(self, sequence: int, count: int) -> None:
        tokens = np.random.default_rng(0).integers(1_000, 50_000, count).tolist()
        for start in range(0, count, BEFORE):
            self._context.step.clear()
            self._context.step.add(tokens[start : start + BEFORE], start=start, sequence=sequence)
            self._context.compute()

    def seconds(self, rows: int) -> float:
        """Return what a step takes, the median of some."""
        taken = []
        for _ in range(STEPS):
            self._context.step.clear()
            for sequence in range(rows):
                self._context.step.add([2_000 + sequence], start=self._before, sequence=sequence)
            begun = time.perf_counter()
            self._context.compute()
            taken.append(time.perf_counter() - begun)
            for sequence in range(rows):
                self._context.cut(sequence, self._before)
        return statistics.median(taken)


def bytes_a_step(path: Path) -> int:
    """Return how much of the weights a step of one row reads: all but the table of token vectors."""
    sizes = {tensor.name: int(tensor.n_bytes) for tensor in GGUFReader(path).tensors}
    return sum(sizes.values()) - (sizes[TABLE] if "output.weight" in sizes else 0)


def main() -> None:
    """Measure, print, save."""
    weights = chat_weights(load_settings())
    model, most = LlamaModel(weights.path), max(THREADS)
    steps = {threads: Steps(model, threads) for threads in THREADS}
    around = {name: Steps(model, most, *tokens) for name, tokens in AROUND.items()}
    taken: dict[tuple[int, int], list[float]] = {(threads, rows): [] for threads in THREADS for rows in ROWS}
    surrounded: dict[str, list[float]] = {name: [] for name in AROUND}
    bandwidths = []
    for _ in range(ROUNDS):
        for (threads, rows), seconds in taken.items():
            seconds.append(steps[threads].seconds(rows))
        for name, seconds in surrounded.items():
            seconds.append(around[name].seconds(1))
        bandwidths.append(memory_bandwidth())
    found = {key: statistics.median(values) for key, values in taken.items()}
    one_row = {name: statistics.median(values) for name, values in surrounded.items()}
    bandwidth, read = statistics.median(bandwidths), bytes_a_step(weights.path)
    console = Console()
    table = Table("threads", *(f"{rows} rows, ms" for rows in ROWS), title=weights.path.stem)
    for threads in THREADS:
        table.add_row(str(threads), *(f"{found[threads, rows] * 1e3:.1f}" for rows in ROWS))
    console.print(table)
    table = Table("one row", "ms", "GB/s of weights", "of the memory's", title=f"{most} threads")
    for name, seconds_ in one_row.items():
        speed = read / seconds_
        table.add_row(name, f"{seconds_ * 1e3:.1f}", f"{speed / 1e9:.1f}", f"{speed / bandwidth:.0%}")
    console.print(table)
    arithmetic = found[most, 2] - found[most, 1]
    console.print(
        f"Memory gives {bandwidth / 1e9:.1f} GB/s ({min(bandwidths) / 1e9:.1f} to {max(bandwidths) / 1e9:.1f}), so "
        f"reading {read / 1e6:.0f} MB takes {read / bandwidth * 1e3:.1f} ms; a second row, which reads none of them "
        f"from memory again, takes {arithmetic * 1e3:.1f} ms."
    )
    RESULTS.mkdir(exist_ok=True)
    report = {
        "model": weights.path.stem,
        "bandwidths": bandwidths,
        "bytes_a_step": read,
        "seconds": {f"{threads} threads, {rows} rows": value for (threads, rows), value in found.items()},
        "one_row": one_row,
    }
    (RESULTS / "steps.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
