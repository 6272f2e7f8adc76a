"""The sandbox against code that means harm; each test runs the real thing."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from bot.bench import sandbox
from bot.bench.sandbox import call, require_sandbox
from bot.errors import CodeFailed, SandboxUnavailable


def result(body: str, *arguments: Any) -> Any:
    """Run a function whose lines are `body`; `x` is its argument."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return call(f"def f(x=None):\n{lines}", "f", [list(arguments)])[0]


@pytest.fixture(scope="module", autouse=True)
def works_here() -> None:
    require_sandbox()


def test_a_function_is_called_with_each_list_of_arguments() -> None:
    assert call("def add(a, b):\n    return a + b", "add", [[1, 2], ["退", "货"]]) == [3, "退货"]


def test_what_it_prints_is_no_result() -> None:
    assert result('print("{\\"results\\": []}")\nreturn 7') == 7


def test_common_modules_are_there() -> None:
    code = "import re, math, datetime\nfrom collections import Counter\nreturn Counter(re.findall('a', x))['a']"
    assert result(code, "banana") == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return nothing", "NameError"),
        ("import sys\nsys.exit(0)", "SystemExit"),
        ("return f(x)", "RecursionError"),
        ("return {1, 2}", "TypeError"),
    ],
)
def test_code_that_raises_is_said(body: str, reason: str) -> None:
    with pytest.raises(CodeFailed, match=reason):
        result(body)


def test_code_that_is_no_python_is_said() -> None:
    with pytest.raises(CodeFailed, match="SyntaxError"):
        call("Sure! Here is the function:", "f", [[]])


def test_a_function_of_another_name_is_said() -> None:
    with pytest.raises(CodeFailed, match="KeyError"):
        call("def g():\n    return 1", "f", [[]])


# Harm


def test_an_endless_loop_is_ended() -> None:
    with pytest.raises(CodeFailed, match="ended without a result"):
        result("while True: pass")


def test_sleeping_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 1)
    with pytest.raises(CodeFailed, match="longer than 1 s"):
        result("import time\ntime.sleep(600)")


def test_a_memory_bomb_is_refused() -> None:
    with pytest.raises(CodeFailed, match="MemoryError"):
        result("return len(bytearray(10**10))")


def test_a_growing_list_is_ended() -> None:
    with pytest.raises(CodeFailed):
        result("a = [0]\nwhile True: a += a")


@pytest.mark.parametrize(
    "body",
    [
        "import os\nreturn os.fork()",
        "import os\nos.system('echo')\nreturn os.posix_spawn('/bin/true', ['true'], {})",
        "import os\nreturn os.execv('/bin/true', ['true'])",
        "import _thread\nreturn _thread.start_new_thread(print, ())",
        "import os\nreturn os.kill(os.getppid(), 9)",
        "import os\nreturn os.kill(1, 15)",
    ],
)
def test_no_process_is_started_or_killed(body: str) -> None:
    with pytest.raises(CodeFailed, match=r"PermissionError|RuntimeError"):
        result(body)


@pytest.mark.parametrize(
    "body",
    [
        "return open('x', 'w').write('x')",
        "return open('/etc/passwd').read()",
        "return open('/proc/self/environ').read()",
        "import os\nreturn os.listdir('/')",
        "import os\nreturn os.unlink(x)",
        "import os\nreturn os.rename(x, x + '.moved')",
        "import os\nreturn os.chmod(x, 0)",
        "import os\nreturn os.symlink(x, 'there')",
    ],
)
def test_no_file_is_read_written_or_moved(body: str, tmp_path: Path) -> None:
    target = tmp_path / "kept.txt"
    target.write_text("kept")
    with pytest.raises(CodeFailed, match=r"PermissionError|OSError"):
        result(body, str(target))
    assert target.read_text() == "kept"


@pytest.mark.parametrize(
    "body",
    [
        "import socket\nreturn socket.create_connection(('127.0.0.1', 80))",
        "import urllib.request\nreturn urllib.request.urlopen('http://127.0.0.1').read()",
        "import ctypes\nif ctypes.CDLL(None).socket(2, 1, 0) < 0: raise PermissionError\nreturn 1",
    ],
)
def test_there_is_no_network(body: str) -> None:
    with pytest.raises(CodeFailed, match=r"PermissionError|ModuleNotFoundError|ImportError|OSError"):
        result(body)


def test_the_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_REMOTE__API_KEY", "secret")
    seen = result("import os\nreturn dict(os.environ)")
    assert seen.pop("LC_CTYPE", "C.UTF-8") == "C.UTF-8"  # Python's own
    assert seen == {"LANG": "C.UTF-8"}


def test_nothing_of_ours_can_be_imported() -> None:
    with pytest.raises(CodeFailed, match=r"PermissionError|ModuleNotFoundError|ImportError"):
        result("import bot.settings\nreturn 1")


def test_limits_cannot_be_raised() -> None:
    with pytest.raises(CodeFailed, match=r"PermissionError|ValueError|OSError"):
        result("import resource\nreturn resource.setrlimit(resource.RLIMIT_CPU, (600, 600))")


def test_a_flood_of_output_is_cut() -> None:
    with pytest.raises(CodeFailed):
        result("import os\nwhile True: os.write(1, b'x' * 4096)")


def test_results_that_are_too_large_are_refused() -> None:
    with pytest.raises(CodeFailed, match="without a result"):
        result("return 'x' * 10**6")


@pytest.mark.parametrize("written", ["[" * 60_000, "7", '"results"', "{}", '{"results": 3}', '{"results": [3]}', ""])
def test_whatever_it_writes_itself_is_no_result(written: str) -> None:
    with pytest.raises(CodeFailed):
        result(f"import os\nos.write(1, {written!r}.encode())\nos._exit(0)")


def test_the_name_of_an_exception_says_nothing_else() -> None:
    written = json.dumps({"error": "[red]<script>"})
    with pytest.raises(CodeFailed, match="raised something"):
        result(f"import os\nos.write(1, {written!r}.encode())\nos._exit(0)")


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "current"))
    assert result("return 1") == 1
    assert os.listdir(tmp_path / "current") == []


def test_a_machine_that_cannot_confine_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runner = tmp_path / "refuses.py"
    runner.write_text("raise OSError")
    monkeypatch.setattr(sandbox, "RUNNER", runner)
    with pytest.raises(SandboxUnavailable, match="seccomp"):
        require_sandbox()
