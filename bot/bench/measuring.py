"""One chat model measured, in a process of its own: then its peak memory is its own, and if it falls, it falls alone.

`bot.bench.running` starts it, writes one line of JSON, the Request, and reads lines of JSON until it ends:
{"done", "total", "stage"} as it goes on, {"figures"} and {"answers"} as soon as they are known, {"notice"} for what
cannot be measured here, {"failed"} if it gives up.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from bot.assembly import make_local_model, model_library
from bot.bench.asking import evenly
from bot.bench.choices import Chooser, count_right, read_choices
from bot.bench.coding import TASKS, try_tasks
from bot.bench.grounding import read_details, try_details
from bot.bench.remembering import CONVERSATIONS, try_conversations
from bot.bench.sandbox import require_sandbox
from bot.bench.speed import (
    SIZES,
    WRITING,
    output_speed,
    prompt_speed,
    prompts_of,
    quantile,
    time_answer,
    time_first_tokens,
    time_writing,
)
from bot.errors import SandboxUnavailable
from bot.logs import set_up_logging
from bot.models.base import ChatModel
from bot.settings import Settings, load_settings
from knowledge.errors import FrontDeskError, ModelUnavailable
from knowledge.llama import LlamaModel
from knowledge.weights.library import Weights

HELLO = "你好"

AS_IT_IS = {"fast_weights": False, "prefix_disk_mb": 0, "patience_seconds": 600.0}
"""The file that is named, with nothing computed before, however long it takes."""


@dataclass(frozen=True)
class Request:
    """What to measure; paths are strings, `started` is the monotonic clock when the process was started."""

    model: str
    choices: str | None
    questions: int
    faq: str
    repeats: int
    started: float


class Measurement:
    """The stages, one after the other; what is known is told at once."""

    def __init__(self, request: Request, settings: Settings, tell: Callable[[dict[str, Any]], None]) -> None:
        """Read the questions and count the steps; raises SuiteUnreadable or ModelUnavailable."""
        self._request, self._tell = request, tell
        models = settings.models.model_copy(update={"chat": request.model, **AS_IT_IS})
        self._settings = settings.model_copy(update={"models": models})
        self._weights: Weights = model_library(settings).find(request.model, "chat")
        self._choices = read_choices(Path(request.choices) if request.choices else None, request.questions)
        self._details = read_details(Path(request.faq), request.questions)
        context = min(models.context_tokens, self._weights.record.context)
        self._sizes = [size for size in SIZES if size <= context]
        self._done, self._stage = 0, ""
        self._total = (
            1
            + len(self._sizes) * request.repeats
            + len(WRITING[: request.repeats])
            + len(evenly(CONVERSATIONS, request.questions))
            + len(evenly(TASKS, request.questions))
            + len(self._details)
            + len(self._choices)
        )

    async def run(self) -> None:
        """Measure everything."""
        self._enter("loading")
        begun = time.monotonic()
        prompts = self._prompts()  # first, so that its tokenizer is not among the memory that is measured
        started = self._request.started + time.monotonic() - begun
        begun = time.perf_counter()
        model: ChatModel | None = make_local_model(self._settings)
        if model is None:
            raise ModelUnavailable("no model is named")
        await asyncio.to_thread(model.warm_up)
        load_s = time.perf_counter() - begun
        await time_answer(model, HELLO, max_tokens=1)
        self._figures(load_s=load_s, cold_start_s=time.monotonic() - started)
        self._step()
        try:
            await self._speed(model, prompts)
            await self._skill(model)
        finally:
            await model.close()
        await asyncio.to_thread(self._multiple_choice)

    def _prompts(self) -> dict[int, list[str]]:
        """Return the prompts that fill each context."""
        tokenizer = LlamaModel(self._weights.path, tokenizer_only=True)
        prompts = {
            size: prompts_of(size, lambda text: len(tokenizer.tokenise(text)), self._request.repeats)
            for size in self._sizes
        }
        tokenizer.close()
        return prompts

    async def _speed(self, model: ChatModel, prompts: dict[int, list[str]]) -> None:
        self._enter("first tokens")
        for size in self._sizes:
            timed = await time_first_tokens(model, prompts[size], self._step)
            self._figures(**{f"first_{size}_p50_s": quantile(timed, 0.5), f"first_{size}_p90_s": quantile(timed, 0.9)})
            if size == SIZES[0]:
                self._figures(prompt_speed=prompt_speed(timed))
        self._enter("writing")
        self._figures(output_speed=output_speed(await time_writing(model, self._request.repeats, self._step)))
        self._figures(peak_bytes=peak_memory())

    async def _skill(self, model: ChatModel) -> None:
        self._enter("follow-ups")
        follow_ups = await try_conversations(model, self._request.questions, self._step)
        self._figures(follow_ups=_share(follow_ups, "right"))
        self._enter("FAQ")
        max_tokens = self._settings.models.max_answer_tokens
        answers = await try_details(model, self._details, max_tokens=max_tokens, on_progress=self._step)
        self._figures(
            faq_right=_share(answers, "right"),
            faq_passed=_share(answers, "passed"),
            faq_right_and_passed=sum(each["right"] and each["passed"] for each in answers) / len(answers),
        )
        self._tell({"answers": {"follow-ups": follow_ups, "FAQ": answers}})
        self._enter("Python")
        try:
            await asyncio.to_thread(require_sandbox)
        except SandboxUnavailable as error:
            self._tell({"notice": str(error)})
            return
        programs = await try_tasks(model, self._request.questions, self._step)
        self._figures(python=sum(not each["problem"] for each in programs) / len(programs))
        self._tell({"answers": {"Python": programs}})

    def _multiple_choice(self) -> None:
        self._enter("multiple choice")
        assert self._weights.record.template is not None, "make_local_model has seen to that"
        chooser = Chooser(self._weights.path, self._weights.record.template, self._settings.models.threads)
        right, asked = count_right(chooser, self._choices, self._step)
        self._figures(parameters=chooser.parameters, choices=right / asked if asked else None)
        chooser.close()

    def _enter(self, stage: str) -> None:
        self._stage = stage
        self._tell({"done": self._done, "total": self._total, "stage": stage})

    def _step(self) -> None:
        self._done += 1
        self._enter(self._stage)

    def _figures(self, **figures: float | None) -> None:
        self._tell({"figures": figures})


def _share(tried: list[dict[str, Any]], what: str) -> float:
    return sum(bool(each[what]) for each in tried) / len(tried)


def peak_memory() -> int:
    """Return the most bytes that this process has held in memory: its own program's, not that of its parent."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1 << 10)


def _teller(lines: TextIO) -> Callable[[dict[str, Any]], None]:
    return lambda message: print(json.dumps(message, ensure_ascii=False), file=lines, flush=True)


def main() -> int:
    """Measure what standard input asks for; whatever libraries print goes to standard error."""
    tell = _teller(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    set_up_logging("error", as_json=False)
    try:
        request = Request(**json.loads(sys.stdin.readline()))
        asyncio.run(Measurement(request, load_settings(), tell).run())
    except FrontDeskError as error:
        tell({"failed": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
