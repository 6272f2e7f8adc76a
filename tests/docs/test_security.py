"""The threat model names a test for everything it says is done: each of them exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = ("docs/security.md", "docs/security.zh-CN.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def functions_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


def named_on(page: str) -> list[tuple[str, str]]:
    return NAMED.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    named = named_on(page)
    assert len(named) >= 40
    assert [f"{path}::{name}" for path, name in named if name not in functions_in(path)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_line_about_what_is_done_names_its_test(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    done = text.split("\n## ")[2]
    claims = [claim for claim in re.split(r"^- ", done, flags=re.MULTILINE)[1:] if not NAMED.search(claim)]
    assert claims == []


def test_both_languages_name_the_same_tests() -> None:
    assert named_on(PAGES[0]) == named_on(PAGES[1])
