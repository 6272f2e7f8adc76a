"""What a step of llama.cpp takes, by its rows and threads: whether it is memory that it waits for.

    python -m benchmarks.steps            # a minute; wants a quiet machine

All rows of a step share one reading of the weights. If a step of one row took as long as that reading, a second row
would come for nothing; what it costs instead is arithmetic. Rows belong to sequences of their own, each with so many
tokens before it as an answer from an entry has. All sizes take turns; medians. Saves steps.json to
benchmarks/results/.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.engine import memory_bandwidth
from bot.assembly import chat_weights
from bot.models.engine.context import Context
from bot.settings import load_settings
from knowledge.llama import LlamaModel

RESULTS = Path(__file__).parent / "results"
ROWS, THREADS = (1, 2, 4, 8), (1, 2)
BEFORE, ROUNDS, STEPS = 300, 9, 12


class Steps:
    """A context whose sequences all go on from the same tokens."""

    def __init__(self, model: LlamaModel, threads: int) -> None:
        """Compute what comes before."""
        tokens = np.random.default_rng(0).integers(1_000, 50_000, BEFORE)
        sequences = max(ROWS)
        self._context = Context(
            model, cells=2_048, sequences=sequences, rows=BEFORE, outputs=sequences, threads=threads
        )
        self._context.step.add(tokens.tolist(), start=0, sequence=0)
        self._context.compute()
        for sequence in range(1, sequences):
            self._context.share(0, sequence, BEFORE)

    def seconds(self, rows: int) -> float:
        """Return what a step takes, the median of some."""
        taken = []
        for _ in range(STEPS):
            self._context.step.clear()
            for sequence in range(rows):
                self._context.step.add([2_000 + sequence], start=BEFORE, sequence=sequence)
            begun = time.perf_counter()
            self._context.compute()
            taken.append(time.perf_counter() - begun)
            for sequence in range(rows):
                self._context.cut(sequence, BEFORE)
        return statistics.median(taken)


def main() -> None:
    """Measure, print, save."""
    weights = chat_weights(load_settings())
    model = LlamaModel(weights.path)
    steps = {threads: Steps(model, threads) for threads in THREADS}
    taken: dict[tuple[int, int], list[float]] = {(threads, rows): [] for threads in THREADS for rows in ROWS}
    for _ in range(ROUNDS):
        for (threads, rows), seconds in taken.items():
            seconds.append(steps[threads].seconds(rows))
    found = {key: statistics.median(values) for key, values in taken.items()}
    console, bandwidth = Console(), memory_bandwidth()
    table = Table("threads", *(f"{rows} rows, ms" for rows in ROWS), title=weights.path.stem)
    for threads in THREADS:
        table.add_row(str(threads), *(f"{found[threads, rows] * 1e3:.1f}" for rows in ROWS))
    console.print(table)
    shared = 2 - found[max(THREADS), 2] / found[max(THREADS), 1]
    console.print(
        f"A second row costs {1 - shared:.0%} of a step, so reading the weights is {shared:.0%} of it at most."
    )
    console.print(f"Memory gives {bandwidth / 1e9:.1f} GB/s.")
    RESULTS.mkdir(exist_ok=True)
    report = {
        "model": weights.path.stem,
        "bandwidth": bandwidth,
        "seconds": {f"{threads} threads, {rows} rows": value for (threads, rows), value in found.items()},
    }
    (RESULTS / "steps.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
