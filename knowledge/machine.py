"""What this process may use of the machine: its cores and memory, within the limits of its control groups, and VNNI.

Files and formats as in the kernel's documentation: cgroup-v2.rst, and for the older kind sched-bwc and memory.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
MEMORY = Path("/proc/meminfo")
PROCESSOR = Path("/proc/cpuinfo")

VNNI = {"avx512_vnni", "avx_vnni"}


def available_threads() -> int:
    """Count the cores: those of this process's affinity, cut by a container's or a service's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [_quota(group) for group in _groups("cpu")]
    return max(1, min([cores, *(math.floor(quota) for quota in quotas if quota)]))


def available_memory() -> int:
    """Return the bytes of the machine's memory, cut by a container's or a service's limit; 0 where nobody says."""
    total = _numbers(MEMORY)[:1]
    limits = [number for group in _groups("memory") for number in _limits(group)]
    return min([*(kibibytes << 10 for kibibytes in total), *limits], default=0)


def has_vnni() -> bool:
    """Say whether the processor adds up products of bytes in 32 bits; no where Linux is not there to say so."""
    try:
        words = PROCESSOR.read_text().split()
    except OSError:
        return False
    return not VNNI.isdisjoint(words)


def _groups(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's groups, of both kinds, and of those around them."""
    try:
        lines = OWN.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines or ["0::/"]:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = ROOT / controller if controllers else ROOT
        group = root / path.lstrip("/")  # seen from inside a container it may not be there
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(root))


def _quota(group: Path) -> float:
    """Return how many cores a group may keep busy, or 0 without a limit."""
    both = _numbers(group / "cpu.max")
    if len(both) != 2:
        both = _numbers(group / "cpu.cfs_quota_us") + _numbers(group / "cpu.cfs_period_us")
    return both[0] / both[1] if len(both) == 2 and both[0] > 0 else 0


def _limits(group: Path) -> list[int]:
    return [number for name in ("memory.max", "memory.limit_in_bytes") for number in _numbers(group / name)]


def _numbers(file: Path) -> list[int]:
    """Return the whole numbers of a file; none of one that cannot be read, and words such as "max" are none."""
    try:
        words = file.read_text().split()
    except OSError:
        return []
    return [int(word) for word in words if word.lstrip("-").isdigit()]
