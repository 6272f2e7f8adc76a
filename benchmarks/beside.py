"""How fast answers are written beside other programs that want the processor.

    python -m benchmarks.beside           # some minutes; wants a quiet machine, but for its own disturbance

Beside none, one and two programs that do nothing but keep a core busy, one stream at a time is asked for answers
without guesses. Medians over the answers, steps with prompts left out. Saves beside.json to benchmarks/results/.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.engine import MAX_TOKENS, Messages, make_prompts
from bot.assembly import chat_weights
from bot.models.base import ChatMessage, Sampling
from bot.models.engine.options import EngineOptions
from bot.models.local import LocalChatModel
from bot.settings import load_settings

RESULTS = Path(__file__).parent / "results"
PROGRAMS, ROUNDS, QUESTIONS = (0, 1, 2), 3, 6
SHORTEST = 8
"""Pieces of an answer whose speed says something."""


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """Keep so many cores busy meanwhile."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)]
    try:
        yield
    finally:
        for program in started:
            program.kill()
            program.wait()


async def tokens_a_second(model: LocalChatModel, prompt: Messages) -> float | None:
    """Return the speed of an answer after its first piece, or None if it was hardly more than that."""
    messages = [ChatMessage(message["role"], message["content"]) for message in prompt]
    generation = model.generate(messages, Sampling(max_tokens=MAX_TOKENS))
    times = [time.perf_counter() async for _ in generation]
    return (generation.usage.completion - 1) / (times[-1] - times[0]) if len(times) >= SHORTEST else None


async def measure(model: LocalChatModel) -> dict[int, float]:
    """Return the speed beside so many programs, in tokens a second, taking turns."""
    speeds: dict[int, list[float]] = {programs: [] for programs in PROGRAMS}
    for round_ in range(ROUNDS):
        for programs in PROGRAMS:
            with busy(programs):
                for prompt in make_prompts(QUESTIONS, seed=round_):
                    if speed := await tokens_a_second(model, prompt):
                        speeds[programs].append(speed)
    return {programs: statistics.median(some) for programs, some in speeds.items()}


def main() -> None:
    """Measure, print, save."""
    weights = chat_weights(load_settings())
    model = LocalChatModel(weights, EngineOptions(patience=1e9, drafting=False))
    model.warm_up()
    speeds = asyncio.run(measure(model))
    table = Table("busy programs", "tokens a second", title=weights.path.stem)
    for programs, speed in speeds.items():
        table.add_row(str(programs), f"{speed:.1f}")
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "beside.json").write_text(json.dumps({str(key): value for key, value in speeds.items()}) + "\n")


if __name__ == "__main__":
    main()
