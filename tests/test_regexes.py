"""Every regular expression of the code, held against long texts that are made to lead it astray."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "knowledge", "connectors")
LENGTH = 30_000
CPU_SECONDS = 0.5
"""Of this process alone. Reading such a text takes a hundredth of this; trying every pair of its places, more."""

UNITS = (
    "a",
    "0",
    " ",
    "\n",
    "\t",
    "-",
    ".",
    "。",
    "中",
    "<",
    "[",
    "(",
    "{",
    "a ",
    " a",
    "a\n",
    "\n ",
    "- ",
    "# ",
    "?a",
)
READ_OUR_FILES = ("bot/http/widget.py",)
MADE_OF_WORDS = ("knowledge/synonyms.py",)
"""Alternatives of words, escaped: known only when the program runs."""

ANCHORED = {"match", "fullmatch"}
FUNCTIONS = ("compile", "sub", "subn", "split", "match", "fullmatch", "search", "findall", "finditer")


@dataclass(frozen=True)
class Expression:
    """An expression, where it stands, and the methods that are called of it."""

    place: str
    pattern: re.Pattern[Any]
    anchored: bool

    def try_on(self, text: Any) -> None:
        """Read a text with it, as the code does."""
        if self.anchored:
            self.pattern.match(text)
            self.pattern.fullmatch(text)
        else:
            for _ in self.pattern.finditer(text):
                pass


def expressions() -> Iterator[Expression]:
    """Return every expression of the code but those that only read files of ours."""
    for path in sorted(itertools.chain.from_iterable((ROOT / room).rglob("*.py") for room in ROOMS)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        place = str(path.relative_to(ROOT))
        if place not in READ_OUR_FILES:
            yield from _expressions(place, tree)


def _expressions(place: str, tree: ast.Module) -> Iterator[Expression]:
    used: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
    names_of = {id(node.value): node.targets[0].id for node in ast.walk(tree) if _names_something(node)}  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"re.{name}" for name in FUNCTIONS}:
            names = dict(vars(importlib.import_module(place.removesuffix(".py").replace("/", "."))))
            function = node.func.attr  # type: ignore[attr-defined]
            flags = [word.value for word in node.keywords if word.arg == "flags"]
            flags += node.args[1:] if function == "compile" else []
            try:
                pattern, *flag = (eval(ast.unparse(part), names) for part in [node.args[0], *flags])
            except NameError:
                assert place in MADE_OF_WORDS
                continue
            calls = used.get(names_of.get(id(node), ""), set()) if function == "compile" else {function}
            yield Expression(f"{place}:{node.lineno}", re.compile(pattern, *flag), bool(calls) and calls <= ANCHORED)


def _names_something(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)


def hostile(pattern: re.Pattern[Any]) -> Iterator[Any]:
    """Return texts, or bytes, that begin to match again and again, and never do in the end."""
    if isinstance(pattern.pattern, bytes):
        yield from (text.encode() for text in hostile(re.compile(pattern.pattern.decode("latin-1"))))
        return
    literals = re.findall(r"[^\\\[\](){}?*+|^$.]+", pattern.pattern)
    own = {unit for literal in literals for unit in (literal, literal[:1], literal[-1:])}
    for unit in sorted({*UNITS, *own}):
        yield unit * (LENGTH // len(unit)) + "\0"
    for first, unit in itertools.product(sorted(own)[:6], ("a", " ", "0", "\n")):
        yield first + unit * LENGTH + "\0"


class TooLong(BaseException):
    """An expression uses more of the processor than it may."""


def _give_up(_signal: int, _frame: FrameType | None) -> None:
    raise TooLong


@pytest.fixture
def bounded() -> Iterator[None]:
    """Interrupt whatever uses too much of the processor; a text has its time as a whole, not each of its matches."""
    before = signal.signal(signal.SIGVTALRM, _give_up)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def is_quick(expression: Expression, text: Any) -> bool:
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        expression.try_on(text)
    except TooLong:
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return True


def test_no_expression_is_led_astray(bounded: None) -> None:
    found = list(expressions())
    assert len(found) >= 90
    slow = [
        (expression.place, expression.pattern.pattern, text[:6])
        for expression in found
        if (text := next((text for text in hostile(expression.pattern) if not is_quick(expression, text)), None))
    ]
    assert not slow, "\n".join(map(str, slow))


def test_one_that_is_led_astray_is_noticed(bounded: None) -> None:
    astray = [(r"(a|a)*b", "a" * LENGTH), (r"\s+$", " " * LENGTH + "\0")]
    assert not any(is_quick(Expression("", re.compile(pattern), anchored=False), text) for pattern, text in astray)
    assert is_quick(Expression("", re.compile(r"a+"), anchored=False), "a" * LENGTH)
