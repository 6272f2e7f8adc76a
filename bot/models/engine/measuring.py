"""How fast this machine computes steps, for choosing the number of threads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from bot.models.engine.composing import OUTPUTS, ROWS
from bot.models.engine.context import Context
from knowledge.llama import LlamaModel
from knowledge.weights.library import Weights

DEEP = 3 * ROWS
"""Tokens that a sequence holds before: an entry and a question."""

TOGETHER = 8
REPEATS = 5
QUESTION, ANSWER = 30, 30
"""Tokens of a question and of an answer, in the time that is compared."""


@dataclass(frozen=True)
class Speed:
    """What so many threads reach, in tokens a second: of a prompt, of one answer, of eight answers together."""

    threads: int
    prompt: float
    alone: float
    together: float

    @property
    def seconds(self) -> float:
        """The time of a usual answer, half of it alone and half among eight."""
        return QUESTION / self.prompt + ANSWER / 2 / self.alone + ANSWER / 2 / self.together


def choices(cores: int) -> list[int]:
    """Return the numbers of threads worth trying: one, half of the cores, all of them."""
    return sorted({1, max(1, cores // 2), cores})


def measure(
    weights: Weights, threads: Sequence[int], on_progress: Callable[[int, int], None] = lambda *_: None
) -> list[Speed]:
    """Measure each number of threads, in turns, so that a machine that is busy for a while is busy for all.

    Returns the fastest first; raises ModelUnavailable if the model cannot be loaded.
    """
    times: dict[int, list[tuple[float, float, float]]] = {count: [] for count in threads}
    for round_ in range(REPEATS):
        for place, count in enumerate(threads):
            on_progress(round_ * len(threads) + place, REPEATS * len(threads))
            times[count].append(_steps(weights, count))
    speeds = []
    for count, some in times.items():
        prompt, alone, together = (statistics.median(seconds) for seconds in zip(*some, strict=True))
        speeds.append(Speed(count, ROWS / prompt, 1 / alone, TOGETHER / together))
    return sorted(speeds, key=lambda speed: speed.seconds)


def _steps(weights: Weights, threads: int) -> tuple[float, float, float]:
    """Return the seconds of a step of a prompt, of one answer, and of eight answers."""
    with closing(LlamaModel(weights.path)) as model:
        context = Context(model, cells=TOGETHER * 256, sequences=TOGETHER, rows=ROWS, outputs=OUTPUTS, threads=threads)
        with closing(context):
            _step(context, sequences=1, rows=ROWS, at=0)
            _step(context, sequences=1, rows=ROWS, at=ROWS)
            prompt = _step(context, sequences=1, rows=ROWS, at=2 * ROWS)
            for sequence in range(1, TOGETHER):
                context.share(0, sequence, DEEP)
            _step(context, sequences=1, rows=1, at=DEEP)
            alone = _step(context, sequences=1, rows=1, at=DEEP + 1)
            context.cut(0, DEEP)
            _step(context, sequences=TOGETHER, rows=1, at=DEEP)
            together = _step(context, sequences=TOGETHER, rows=1, at=DEEP + 1)
            return prompt, alone, together


def _step(context: Context, *, sequences: int, rows: int, at: int) -> float:
    context.step.clear()
    for sequence in range(sequences):
        context.step.add([1] * rows, start=at, sequence=sequence, outputs=1)
    begun = time.perf_counter()
    context.compute()
    return time.perf_counter() - begun
