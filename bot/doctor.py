"""What is wrong with an installation, found by looking and changing nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import httpx
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from bot.assembly import embedding_model, make_indexes, model_library
from bot.channels.opening import open_adapters, open_channels
from bot.errors import SettingsError
from bot.settings import Settings
from bot.store.database import blocking_url, migration_config
from bot.store.tables import KnowledgeBaseRow
from knowledge.embedding.choosing import models_for_this_machine
from knowledge.errors import IndexUnavailable, ModelError
from knowledge.llama import is_slow_build, processor_features
from knowledge.machine import available_memory, available_threads
from knowledge.weights.catalogue import AUTOMATIC
from knowledge.weights.library import check_hash
from knowledge.weights.record import Role

State = Literal["well", "doubtful", "broken"]

OWN_MB = 350
"""What serving holds beside the models' files."""

LOW_DISK = 1_000_000_000
OTLP = {"Content-Type": "application/x-protobuf"}
CLOCK_SECONDS = 120
"""Slack and WeCom refuse messages whose time is five minutes off."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, in a sentence, with what to do if it is not well."""

    subject: str
    state: State
    sentence: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one thing after the other; takes some seconds, most of them for reading the models."""
    looks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _processor,
        _memory,
        _disk,
        _models,
        _database,
        _index,
        _port,
        _remote,
        _telemetry,
        _channels,
    )
    for look in looks:
        yield from look(settings)


def _processor(settings: Settings) -> Iterator[Finding]:
    try:
        features = processor_features()
    except ModelError as error:
        yield Finding("processor", "broken", str(error))
        return
    threads = settings.models.threads or available_threads()
    if is_slow_build():
        sentence = "llama-cpp-python was built without SIMD and is some 20 times slower; run: make rebuild-llama"
        yield Finding("processor", "doubtful", f"{sentence} ({features})")
    elif threads > available_threads():
        sentence = f"models.threads is {threads}, and {available_threads()} cores may be used; run: frontdesk tune"
        yield Finding("processor", "doubtful", sentence)
    else:
        yield Finding("processor", "well", f"{threads} threads with SIMD")


def _memory(settings: Settings) -> Iterator[Finding]:
    limit, needed = available_memory(), OWN_MB + settings.models.prefix_cache_mb << 20
    for role, name in _wanted(settings):
        with suppress(ModelError, OSError):  # what is not there is said below
            needed += model_library(settings).find(name, role).path.stat().st_size
    if 0 < limit < needed:
        sentence = f"{_gigabytes(limit)} may be used, and the models need {_gigabytes(needed)} to be fast; give it more"
        yield Finding("memory", "doubtful", f"{sentence}, or choose a smaller chat model")
    else:
        yield Finding("memory", "well", f"{_gigabytes(needed)} are needed, {_gigabytes(limit)} may be used")


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def _disk(settings: Settings) -> Iterator[Finding]:
    for name, folder in (("data_dir", settings.data_dir), ("models_dir", settings.models_dir)):
        place = folder.expanduser().resolve()
        there = next(parent for parent in (place, *place.parents) if parent.exists())
        free = shutil.disk_usage(there).free
        if not _may_write(there):
            yield Finding("disk", "broken", f"{place} cannot be written; set {name}, or give it to this user")
        elif free < LOW_DISK:
            yield Finding("disk", "doubtful", f"{place} has only {free / 1e9:.1f} GB free")
        else:
            yield Finding("disk", "well", f"{place} has {free / 1e9:,.0f} GB free")


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def _wanted(settings: Settings) -> Iterator[tuple[Role, str]]:
    """Yield the models that must be files here."""
    named: list[tuple[Role, str]] = [("chat", settings.models.chat), ("embedding", embedding_model(settings))]
    for role, name in named:
        if name and ":" not in name:  # else there is none, or it is elsewhere
            yield role, name


def _models(settings: Settings) -> Iterator[Finding]:
    library = model_library(settings)
    for role, name in _wanted(settings):
        try:
            weights = library.find(name, role)
            if weights.record.sha256:
                check_hash(weights.path, weights.record)
        except (ModelError, OSError) as error:
            yield Finding(role, "broken", str(error))
        else:
            instead = "" if weights.record.name == name or name.endswith(".gguf") else f", in the place of {name}"
            better = _better(name, settings) if role == "embedding" else ""
            yield Finding(role, "well", f"{weights.record.name} is here and whole{instead}{better}")


def _better(name: str, settings: Settings) -> str:
    """Say which embedding model this machine could run instead, where it is left to choose."""
    best, *_ = models_for_this_machine(in_eight_bits=settings.models.fast_weights)
    if settings.models.embedding != AUTOMATIC or name == best:
        return ""
    return f"; {best} finds more and would run here: frontdesk models pull {best}"


def _database(settings: Settings) -> Iterator[Finding]:
    url = settings.resolved_database_url
    newest = ScriptDirectory.from_config(migration_config(url)).get_current_head()
    path = settings.data_dir.expanduser() / "frontdesk.db"
    if not settings.database_url and not path.exists():
        yield Finding("database", "well", f"{path.resolve()} is made at the first start")
        return
    try:
        engine = create_engine(blocking_url(url))
        with engine.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
            its_time = connection.scalar(select(func.now())) if engine.dialect.name == "postgresql" else None
            there = set(connection.scalars(select(KnowledgeBaseRow.name))) if revision == newest else None
        engine.dispose()
    except (SQLAlchemyError, ImportError, OSError) as error:
        yield Finding("database", "broken", f"it cannot be opened: {str(error).splitlines()[0]}")
        return
    if revision == newest:
        yield Finding("database", "well", f"{engine.dialect.name} answers, at revision {revision}")
    else:
        yield Finding("database", "doubtful", f"it is at revision {revision}; the next start brings it to {newest}")
    if there is not None:
        yield from _knowledge_bases(settings, there)
    if its_time is not None:
        yield _clock(its_time, "the database")


def _knowledge_bases(settings: Settings, there: set[str]) -> Iterator[Finding]:
    """Look for those that the bot is to answer from, if that is not simply all of them."""
    if unknown := sorted(set(settings.bot.knowledge_bases) - there):
        known = f"; there are {', '.join(sorted(there))}" if there else ""
        yield Finding(
            "knowledge", "broken", f"bot.knowledge_bases names {', '.join(unknown)}, which is not there{known}"
        )


def _index(settings: Settings) -> Iterator[Finding]:
    try:
        indexes = make_indexes(settings)
        if indexes is not None:
            with closing(indexes):
                yield Finding("index", "well", indexes.check())
    except (SettingsError, IndexUnavailable) as error:
        yield Finding("index", "broken", str(error))


def _port(settings: Settings) -> Iterator[Finding]:
    host, port = settings.server.host, settings.server.port
    everywhere = host in ("0.0.0.0", "::")  # noqa: S104 - nothing is bound here  # nosec B104
    place = "127.0.0.1" if everywhere else f"[{host}]" if ":" in host else host
    try:
        answer = dict(httpx.get(f"http://{place}:{port}/readyz", timeout=5).json())
    except httpx.ConnectError:
        yield Finding("server", "well", f"port {port} is free")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError):
        yield Finding("server", "doubtful", f"port {port} is taken by another program; choose one: --port {port + 1}")
    else:
        problems = [str(problem) for problem in answer.get("problems", [])]
        state: State = "doubtful" if problems else "well"
        yield Finding("server", state, f"runs on port {port}{': ' if problems else ''}{'; '.join(problems)}")


def _remote(settings: Settings) -> Iterator[Finding]:
    remote, models = settings.remote, settings.models
    if remote.base_url:
        yield from _endpoint("remote model", remote.base_url, remote.api_key, "remote.api_key")
    if models.embedding.startswith("openai:") and models.embedding_base_url:
        key = models.embedding_api_key
        yield from _endpoint("embedding", models.embedding_base_url, key, "models.embedding_api_key")


def _endpoint(subject: str, url: str, key: SecretStr | None, setting: str) -> Iterator[Finding]:
    """Ask an OpenAI-compatible endpoint for its models, which costs nothing and needs the key."""
    bearer = f"Bearer {key.get_secret_value() if key else 'none'}"
    try:
        response = httpx.get(f"{url.rstrip('/')}/models", headers={"Authorization": bearer}, timeout=10)
    except UnicodeEncodeError:
        yield Finding(subject, "broken", f"{setting} has characters that no key has; paste it again")
        return
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Finding(subject, "broken", f"{url} cannot be reached ({type(error).__name__})")
        return
    if response.status_code in (401, 403):
        yield Finding(subject, "broken", f"{url} refuses the key; set {setting}")
    else:
        yield Finding(subject, "well", f"{url} answers")
    try:
        theirs = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError, TypeError):
        return
    yield _clock(theirs, str(response.url.host))


def _clock(theirs: datetime, whose: str) -> Finding:
    off = abs((theirs - datetime.now(UTC)).total_seconds())
    if off > CLOCK_SECONDS:
        sentence = f"it is {off:.0f} s off that of {whose}; platforms refuse messages then: set up NTP"
        return Finding("clock", "broken", sentence)
    return Finding("clock", "well", f"within {off:.0f} s of that of {whose}")


def _telemetry(settings: Settings) -> Iterator[Finding]:
    endpoint = settings.telemetry.endpoint
    if not endpoint:
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        install = "pip install 'frontdesk-bot[telemetry]'"
        yield Finding("traces", "broken", f"OpenTelemetry is not installed; run: {install}")
        return
    try:
        httpx.post(f"{endpoint.rstrip('/')}/v1/traces", content=b"", headers=OTLP, timeout=5)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Finding("traces", "doubtful", f"{endpoint} cannot be reached ({type(error).__name__}); nobody keeps them")
    else:
        yield Finding("traces", "well", f"{endpoint} answers")


def _channels(settings: Settings) -> Iterator[Finding]:
    channels, missing = open_channels(settings)
    adapters, lacking = open_adapters(settings)
    missing |= {f"people.{name}": problem for name, problem in lacking.items()}
    for name in (*channels, *adapters):
        yield Finding("channel", "well", f"{name} is set up")
    for problem in missing.values():
        yield Finding("channel", "broken", problem)
