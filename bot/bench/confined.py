"""Runs a function that a model wrote, as a program of its own that can only compute.

`bot.bench.sandbox` starts it, isolated and in an empty folder. Before it looks at the code it gives up, for good, every
system call but those that computing needs: from then on nothing can be opened, sent, started or killed, also by root.
Limits of time, memory and output are set too. So whatever the code wants must have been imported before.
"""

import bisect  # noqa: F401 - as those below, for the code
import calendar  # noqa: F401
import collections  # noqa: F401
import copy  # noqa: F401
import ctypes
import dataclasses  # noqa: F401
import datetime
import decimal  # noqa: F401
import enum  # noqa: F401
import fractions  # noqa: F401
import functools  # noqa: F401
import heapq  # noqa: F401
import io
import itertools  # noqa: F401
import json
import math  # noqa: F401
import operator  # noqa: F401
import os
import platform
import random  # noqa: F401
import re  # noqa: F401
import resource
import statistics  # noqa: F401
import string  # noqa: F401
import struct
import sys
import textwrap  # noqa: F401
import typing

CALLS = {  # name: its numbers on x86_64 and aarch64, from Linux's tables of system calls
    "brk": (12, 214),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "close": (3, 57),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "fstat": (5, 80),
    "futex": (202, 98),
    "getpid": (39, 172),
    "getrandom": (318, 278),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "lseek": (8, 62),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "read": (0, 63),
    "restart_syscall": (219, 128),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "sigaltstack": (131, 132),
    "write": (1, 64),
}
"""What computing needs, with standard input and output already open; anything else fails as not permitted."""

MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""The column above, and what the kernel calls the architecture (AUDIT_ARCH)."""

LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
KILL, NOT_PERMITTED, ALLOW = 0x80000000, 0x00050001, 0x7FFF0000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2


class SockFprog(ctypes.Structure):
    """The kernel's struct of a filter program."""

    _fields_: typing.ClassVar = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


def limit(seconds: int, memory: int, output: int) -> None:
    """Bound processor time, memory and output, in seconds and bytes; no new files, processes or core dumps."""
    for kind, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def give_up_system_calls() -> None:
    """Let the kernel refuse all but CALLS from now on (seccomp); raises OSError if it does not agree."""
    column, architecture = MACHINES[platform.machine()]
    allowed = sorted(numbers[column] for numbers in CALLS.values())
    program = [
        (LOAD, 0, 0, 4),  # the architecture, since numbers mean something else on another
        (JUMP_IF_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),  # the number of the call
        *((JUMP_IF_EQUAL, len(allowed) - place, 0, number) for place, number in enumerate(allowed)),
        (RETURN, 0, 0, NOT_PERMITTED),
        (RETURN, 0, 0, ALLOW),
    ]
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in program))
    described = SockFprog(len(program), ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(described), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "the kernel takes no seccomp filter")


def answer(code: str, name: str, calls: list[list[object]]) -> list[dict[str, object]]:
    """Define the function and call it; each result is {"value": …} or {"error": the exception's name}."""
    namespace: dict[str, typing.Any] = {"__name__": "answer"}
    exec(compile(code, "answer.py", "exec"), namespace)  # noqa: S102 - what all of this is for  # nosec B102
    results: list[dict[str, object]] = []
    for arguments in calls:
        try:
            results.append({"value": namespace[name](*arguments)})
        except Exception as error:
            results.append({"error": type(error).__name__})
    return results


def main() -> None:
    """Read the request on standard input, write the results to standard output."""
    request = json.load(sys.stdin)
    datetime.datetime.strptime("2026-01-01", "%Y-%m-%d")  # noqa: DTZ007 - imports what it needs at its first use
    sys.stdout = sys.stderr = io.StringIO()
    limit(**request["limits"])
    give_up_system_calls()
    try:
        reply: object = {"results": answer(request["code"], request["name"], request["calls"])}
        written = json.dumps(reply)
    except BaseException as error:  # SystemExit too
        written = json.dumps({"error": type(error).__name__})
    os.write(1, written.encode())
    os._exit(0)


if __name__ == "__main__":
    main()
