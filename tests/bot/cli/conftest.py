"""The command as a user runs it, in process or in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.cli.main import main

NOTHING_HEAVY = {"FRONTDESK_MODELS__CHAT": "", "FRONTDESK_MODELS__EMBEDDING": "absent.gguf"}
"""No chat model, and an embedding model that is not there: searching is by words."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def nothing_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NOTHING_HEAVY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def own_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--postgres`, a command uses a database there instead of making a file."""
    if request.config.getoption("--postgres"):
        monkeypatch.setenv("FRONTDESK_DATABASE_URL", request.getfixturevalue("postgres_url"))


@pytest.fixture
def frontdesk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give the command; it runs in this process."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["frontdesk", *arguments])
        capsys.readouterr()
        status: object = 0
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        captured = capsys.readouterr()
        assert isinstance(status, int)
        return Result(status, captured.out, captured.err)

    return run


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", "from bot.cli.main import main; main()", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
