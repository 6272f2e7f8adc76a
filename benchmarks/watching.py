"""A running server seen from outside: its memory, open files and threads, and what it says of itself."""

from __future__ import annotations

import os
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp


@dataclass(frozen=True)
class Sample:
    """A server at one moment: `at` in seconds, memory in MB, `cpu` in seconds of one core since its start."""

    at: float
    resident_mb: float
    files: int
    threads: int
    cpu: float
    tasks: int = 0
    answers: int = 0
    sequences: int = 0
    waiting: int = 0
    shed: int = 0

    def to_dict(self) -> dict[str, float]:
        """Return it as JSON has it."""
        return asdict(self)


def look_at(pid: int, **said: int) -> Sample:
    """Look at a process (Linux)."""
    folder = Path(f"/proc/{pid}")
    status = folder.joinpath("status").read_text()
    times = folder.joinpath("stat").read_text().rpartition(")")[2].split()
    return Sample(
        at=time.monotonic(),
        resident_mb=round(_number(r"VmRSS:\s+(\d+)", status) / 1024, 1),
        files=len(list(folder.joinpath("fd").iterdir())),
        threads=_number(r"Threads:\s+(\d+)", status),
        cpu=(int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"),
        **said,
    )


async def look_closely(session: aiohttp.ClientSession, pid: int) -> Sample:
    """Look at a process, and ask it for its metrics."""
    async with session.get("/metrics") as reply:
        metrics = await reply.text()
    names = {
        "tasks": "frontdesk_tasks",
        "answers": "frontdesk_answers_unfinished",
        "sequences": "frontdesk_engine_working",
        "waiting": "frontdesk_engine_waiting",
        "shed": "frontdesk_engine_shed_total",
    }
    return look_at(pid, **{name: _number(rf"^{metric} (\d+)", metrics) for name, metric in names.items()})


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text, re.MULTILINE)
    return int(found[1]) if found else 0
