from __future__ import annotations

import os
from pathlib import Path

import pytest

from knowledge import machine
from knowledge.machine import available_memory, available_threads, has_vnni

GIB = 1 << 30


@pytest.fixture(autouse=True)
def big_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Eight cores and 16 GiB, without groups."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name in ("ROOT", "OWN", "MEMORY", "PROCESSOR"):
        monkeypatch.setattr(machine, name, tmp_path / name)
    (tmp_path / "MEMORY").write_text(f"MemTotal:       {16 * GIB >> 10} kB\nMemFree:  1000 kB\n")


def group(tmp_path: Path, own: str, files: dict[str, str]) -> None:
    """Say in which group this process is, and write the files of some groups."""
    (tmp_path / "OWN").write_text(own)
    for name, text in files.items():
        file = tmp_path / "ROOT" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_without_limits_all_of_the_machine_may_be_used() -> None:
    assert (available_threads(), available_memory()) == (8, 16 * GIB)


def test_the_limits_of_a_container_count(tmp_path: Path) -> None:
    group(tmp_path, "0::/\n", {"cpu.max": "250000 100000\n", "memory.max": f"{2 * GIB}\n"})
    assert (available_threads(), available_memory()) == (2, 2 * GIB)


def test_the_limits_of_the_groups_around_count_too(tmp_path: Path) -> None:
    group(
        tmp_path,
        "0::/system.slice/frontdesk.service\n",
        {
            "system.slice/cpu.max": "100000 100000",
            "system.slice/frontdesk.service/cpu.max": "max 100000",
            "system.slice/frontdesk.service/memory.max": str(GIB),
            "memory.max": "max",
        },
    )
    assert (available_threads(), available_memory()) == (1, GIB)


def test_the_older_kind_of_groups_is_read(tmp_path: Path) -> None:
    group(
        tmp_path,
        "4:memory:/docker/a1\n3:cpu,cpuacct:/docker/a1\n",
        {
            "cpu/docker/a1/cpu.cfs_quota_us": "300000",
            "cpu/docker/a1/cpu.cfs_period_us": "100000",
            "memory/docker/a1/memory.limit_in_bytes": str(3 * GIB),
            "memory/memory.limit_in_bytes": "9223372036854771712",
        },
    )
    assert (available_threads(), available_memory()) == (3, 3 * GIB)


@pytest.mark.parametrize("quota", ["-1", "max"])
def test_no_quota_is_no_limit(tmp_path: Path, quota: str) -> None:
    group(tmp_path, "1:cpu:/\n", {"cpu/cpu.cfs_quota_us": quota, "cpu/cpu.cfs_period_us": "100000"})
    assert available_threads() == 8


def test_a_part_of_a_core_is_one(tmp_path: Path) -> None:
    group(tmp_path, "0::/\n", {"cpu.max": "50000 100000"})
    assert available_threads() == 1


def test_where_nobody_says_the_memory_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "MEMORY").unlink()
    assert available_memory() == 0


@pytest.mark.parametrize(
    ("flags", "has"), [("avx2 avx512_vnni", True), ("avx2 avx_vnni", True), ("avx2 avx512_vbmi2", False)]
)
def test_the_processor_says_whether_it_has_vnni(tmp_path: Path, flags: str, *, has: bool) -> None:
    assert not has_vnni()
    (tmp_path / "PROCESSOR").write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\nbugs\t\t: spectre_v1\n")
    assert has_vnni() is has
