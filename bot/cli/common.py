"""What the commands share: the console, errors in one line, running async code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from bot.assembly import open_database, warm_embedder, warm_local_model, warm_reranking
from bot.configuration import overlay
from bot.logs import set_up_logging
from bot.settings import Settings, load_settings
from bot.store.database import Store
from bot.store.knowledge import KnowledgeStore
from bot.store.settings import SettingStore
from knowledge.embedding.base import Embedder, OnProgress
from knowledge.entries import Entry
from knowledge.reranking.patient import PatientReranking

T = TypeVar("T")
StoreT = TypeVar("StoreT", bound=Store)

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def read_settings(log_level: str = "warning") -> Settings:
    """Read the settings, and log no more than a command's user wants to see."""
    settings = load_settings()
    set_up_logging(log_level, as_json=False)
    return settings


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run async code to its end."""
    return asyncio.run(work)


def with_store(settings: Settings, store: type[StoreT], work: Callable[[StoreT], Coroutine[Any, Any, T]]) -> T:
    """Open the database, do some work with one of its stores, close it."""

    async def inner() -> T:
        database = await open_database(settings)
        try:
            return await work(store(database))
        finally:
            await database.close()

    return run(inner())


def with_knowledge_store(settings: Settings, work: Callable[[KnowledgeStore], Coroutine[Any, Any, T]]) -> T:
    """Do some work with the knowledge in the database."""
    return with_store(settings, KnowledgeStore, work)


def read_all_settings(log_level: str = "warning") -> Settings:
    """Read the settings with what was changed in the console."""
    settings = read_settings(log_level)
    return overlay(settings, with_store(settings, SettingStore, lambda store: store.values()))


def released_entries(settings: Settings, knowledge_base: str) -> list[Entry]:
    """Return what is published in a knowledge base, or, without a name, in all that the bot answers from."""

    async def work(store: KnowledgeStore) -> list[Entry]:
        releases = await store.current_releases([knowledge_base] if knowledge_base else settings.bot.knowledge_bases)
        return [entry for release in releases for entry in await store.released_entries(release)]

    return with_knowledge_store(settings, work)


async def loaded_embedder(settings: Settings) -> Embedder:
    """Return the embedder of the settings, loaded; without it, what searches by words, after saying so."""
    problems: list[str] = []
    embedder = await warm_embedder(settings, problems)
    for problem in problems:
        err.print(f"[yellow]{escape(problem)}[/]")
    return embedder


async def loaded_reranking(settings: Settings) -> PatientReranking | None:
    """Return what asks the reranker of the settings, loaded; None without it, after saying why."""
    problems: list[str] = []
    local = warm_local_model(settings, problems) if settings.models.reranker == "local" else None
    reranking = await warm_reranking(settings, local, problems)
    for problem in problems:
        err.print(f"[yellow]{escape(problem)}[/]")
    return reranking


def shown_in(bar: Progress, label: str) -> OnProgress:
    """Return what shows progress as one line of a bar."""
    task = bar.add_task(label, total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)


def counting_progress() -> Progress:
    """Return a bar for things that are counted."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
    )


def download_progress() -> Progress:
    """Return a bar for bytes."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
    )
