"""Running code that nobody has read: in a process of its own that can only compute, with limits.

What is right is decided here: the process is told the arguments, never the results that are expected, and whatever
it writes is only compared with them.
"""

from __future__ import annotations

import json
import subprocess  # nosec B404 - a process of its own is what confines the code
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.errors import CodeFailed, SandboxUnavailable

RUNNER = Path(__file__).with_name("confined.py")
PROCESSOR_SECONDS = 2
WALL_SECONDS = 20
"""Much more than the processor time, for a machine that is busy with other things."""
MEMORY_BYTES = 512 << 20
OUTPUT_BYTES = 64 << 10
MAX_NAME_CHARS = 40


def require_sandbox() -> None:
    """Raise SandboxUnavailable unless this machine can confine a program."""
    try:
        works = call("def one():\n    return 1", "one", [[]]) == [1]
    except CodeFailed:
        works = False
    if not works:
        raise SandboxUnavailable("code can be confined on Linux only (seccomp, on x86_64 or aarch64), so it is not run")


def call(code: str, name: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
    """Return what a function of the code returns for each list of arguments; all of them as JSON types.

    Raises:
        CodeFailed: it has no such function, raised, took too long, or asked for what it may not have.
    """
    request = {
        "code": code,
        "name": name,
        "calls": calls,
        "limits": {"seconds": PROCESSOR_SECONDS, "memory": MEMORY_BYTES, "output": OUTPUT_BYTES},
    }
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        try:
            subprocess.run(  # noqa: S603 - our own runner  # nosec B603
                [sys.executable, "-I", "-S", "-B", str(RUNNER)],
                input=json.dumps(request).encode(),
                stdout=output,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={"LANG": "C.UTF-8"},
                timeout=WALL_SECONDS,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CodeFailed(f"took longer than {WALL_SECONDS} s") from error
        output.seek(0)
        written = output.read(OUTPUT_BYTES)
    return _values(written, len(calls))


def _values(written: bytes, count: int) -> list[Any]:
    """Read what the process wrote, which may be anything."""
    try:
        reply = json.loads(written)
        if "error" in reply:
            raise CodeFailed(f"raised {_name(reply['error'])}")
        results = list(reply["results"])
        for result in results:
            if "error" in result:
                raise CodeFailed(f"raised {_name(result['error'])}")
        values = [result["value"] for result in results]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CodeFailed("ended without a result: too long, too large, or not allowed") from error
    if len(values) != count:
        raise CodeFailed("ended without a result for each call")
    return values


def _name(value: Any) -> str:
    """Return the name of an exception, if it is one."""
    name = str(value)[:MAX_NAME_CHARS]
    return name if name.isidentifier() else "something"
