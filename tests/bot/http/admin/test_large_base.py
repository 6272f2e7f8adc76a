"""A knowledge base of 10,000 entries: looking at a page of it never loads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from bot.store.tables import EntryRow, VariantRow
from knowledge.entries import Entry
from tests.bot.http.admin.conftest import set_up
from tests.bot.http.conftest import Site

ENTRIES = 10_000
STATEMENTS = 8
"""Who asks, the base, the number found, the page, its variants, the tags, the states: a few, however many entries."""


@dataclass
class Work:
    """What was asked of a database."""

    statements: int = 0
    entries: int = 0
    variants: int = 0


@contextmanager
def work() -> Iterator[Work]:
    """Count the statements that are sent, and the rows of entries and variants that come back."""
    done = Work()

    def send(*_: Any) -> None:
        done.statements += 1

    def load_entry(*_: Any) -> None:
        done.entries += 1

    def load_variant(*_: Any) -> None:
        done.variants += 1

    listeners = [
        (Engine, "before_cursor_execute", send),
        (EntryRow, "load", load_entry),
        (VariantRow, "load", load_variant),
    ]
    for listener in listeners:
        event.listen(*listener)
    try:
        yield done
    finally:
        for listener in listeners:
            event.remove(*listener)


def entry(number: int) -> Entry:
    return Entry(
        key=f"BIG-{number}",
        question=f"第 {number} 号商品怎么安装？",
        answer=f"见第 {number} 页。",
        variants=(f"{number} 号的安装方法", f"装 {number} 号"),
        tags=(f"类别{number % 20}",),
        status="draft" if number % 100 == 0 else "published",
    )


@pytest.fixture
async def large(database_url: str) -> str:
    """Give a database with a knowledge base of that size."""
    database = Database(database_url)
    try:
        await KnowledgeStore(database).upsert("big", [entry(number) for number in range(ENTRIES)])
    finally:
        await database.close()
    return database_url


@pytest.fixture
def owner(site: Site, large: str, open_client: Callable[[], TestClient]) -> TestClient:
    site.url = large
    return set_up(open_client())


def test_a_page_costs_the_same_however_large_the_base(owner: TestClient) -> None:
    looks = [
        ({}, ENTRIES, 50),
        ({"offset": 9_980}, ENTRIES, 20),
        ({"search": "9999 号 安装"}, 1, 1),
        ({"search": "安装"}, ENTRIES, 50),
        ({"status": "draft"}, 100, 50),
        ({"tag": "类别7"}, 500, 50),
        ({"search": "安装", "status": "draft", "tag": "类别0", "limit": 500}, 100, 100),
    ]
    for query, total, shown in looks:
        with work() as done:
            page = owner.get("/api/admin/knowledge-bases/big/entries", params=query).json()
        assert (page["total"], len(page["entries"])) == (total, shown), query
        assert (done.entries, done.variants) == (shown, 2 * shown), query
        assert done.statements <= STATEMENTS, query


def test_one_entry_and_its_history_are_read_alone(owner: TestClient) -> None:
    for path in ("BIG-7", "BIG-7/history"):
        with work() as done:
            assert owner.get(f"/api/admin/knowledge-bases/big/entries/{path}").status_code == 200
        assert done.entries <= 1, path
        assert done.statements <= STATEMENTS, path
