"""Measuring models one after the other, each in a process of its own; one that falls or is absent is a row too."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from bot.bench.choices import OWN_QUESTIONS
from bot.bench.measuring import Request
from knowledge.errors import ModelUnavailable
from knowledge.machine import available_threads
from knowledge.weights.catalogue import find_record, requantised_from
from knowledge.weights.library import ModelLibrary, Weights

SILENCE_SECONDS = 900
"""Of a model that says nothing for so long, nothing more is expected; 2,048 tokens take a 7B model some 3 minutes."""

LINE_BYTES = 16 << 20

Row = dict[str, Any]
OnProgress = Callable[[str, str, int, int], None]
"""Called with a model, its stage, and the steps done and in all."""


@dataclass(frozen=True)
class Plan:
    """What to measure: multiple-choice questions (None: our own), how many of each kind (0: all), an FAQ, repeats."""

    choices: Path | None
    questions: int
    faq: Path
    repeats: int


def find(name: str, library: ModelLibrary) -> Weights:
    """Return exactly the model that is named, never its fallback.

    Raises:
        UnknownModel: the catalogue has no such name.
        ModelUnavailable: it is not here; the message says how to get it.
    """
    if Path(name).suffix == ".gguf":
        return library.find(name, "chat")
    record = requantised_from(name) or find_record(name)
    if library.state(record) != "here":
        raise ModelUnavailable(library.way_to(record))
    return library.find(name, "chat")


async def bench(
    names: Sequence[str], library: ModelLibrary, plan: Plan, *, threads: int, on_progress: OnProgress
) -> dict[str, Any]:
    """Measure models and return the report as JSON types: about, and a row for each; `threads` are those of settings.

    Raises:
        UnknownModel: before anything is measured.
    """
    found: dict[str, Weights | ModelUnavailable] = {}
    for name in names:
        try:
            found[name] = find(name, library)
        except ModelUnavailable as error:
            found[name] = error
    about = describe_machine(plan, threads)
    rows = [
        {"model": name, "status": "absent", "reason": str(weights), "figures": {}, "answers": {}}
        if isinstance(weights, ModelUnavailable)
        else await measure(name, weights, plan, on_progress)
        for name, weights in found.items()
    ]
    return {"about": about, "models": rows}


def describe_machine(plan: Plan, threads: int) -> dict[str, Any]:
    """Return when, where and with what is measured."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": available_threads(),
        "threads": threads or available_threads(),
        "load_average": round(os.getloadavg()[0], 2),
        "llama_cpp_python": version("llama-cpp-python"),
        "choices": (plan.choices or OWN_QUESTIONS).name,
        "faq": plan.faq.name,
        "questions": plan.questions,
        "repeats": plan.repeats,
    }


async def measure(name: str, weights: Weights, plan: Plan, on_progress: OnProgress) -> Row:
    """Measure one model in a new process, whose file is read from disk."""
    row: Row = {
        "model": weights.record.name,
        "status": "failed",
        "reason": "",
        "figures": {"file_bytes": weights.path.stat().st_size},
        "answers": {},
    }
    drop_from_cache(weights.path)
    with tempfile.TemporaryFile() as errors:
        request = Request(
            model=name,
            choices=str(plan.choices) if plan.choices else None,
            questions=plan.questions,
            faq=str(plan.faq),
            repeats=plan.repeats,
            started=time.monotonic(),
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.bench.measuring"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            limit=LINE_BYTES,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},  # the code that runs here
        )
        try:
            await _follow(process, request, row, on_progress)
        except TimeoutError:
            row["reason"] = f"said nothing for {SILENCE_SECONDS} s"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == 0:
            row["status"] = "measured"
        else:
            row["reason"] = row["reason"] or _why(process.returncode or 0, errors)
    return row


async def _follow(process: Process, request: Request, row: Row, on_progress: OnProgress) -> None:
    """Give the process its request, and take what it tells until it ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
    process.stdin.close()
    while line := await asyncio.wait_for(process.stdout.readline(), SILENCE_SECONDS):
        message = json.loads(line)
        if "stage" in message:
            on_progress(row["model"], message["stage"], message["done"], message["total"])
        row["figures"] |= message.get("figures", {})
        row["answers"] |= message.get("answers", {})
        row["reason"] = message.get("failed") or message.get("notice") or row["reason"]
    await process.wait()


def drop_from_cache(path: Path) -> None:
    """Ask the system to forget what it has kept of a file, where it can be asked; mapped pages stay."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _why(status: int, errors: BinaryIO) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else f"ended with status {status}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
