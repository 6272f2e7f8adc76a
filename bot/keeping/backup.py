"""Writing a backup: one moment of the database, read while others go on writing, and what belongs to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    MetaData,
    NullPool,
    Table,
    Text,
    cast,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import BackupError
from bot.keeping.archive import FORMAT, Kind, Manifest, ModelReference, writing
from bot.settings import Settings, config_path
from bot.store.database import blocking_url
from bot.visitors import KEPT_IN
from knowledge.embedding.choosing import chosen_model
from knowledge.errors import ModelError
from knowledge.weights.library import ModelLibrary
from knowledge.weights.record import Role

SETTINGS_FILE = "frontdesk.toml"
REVISIONS = "alembic_version"
LEFT_OUT = ("sessions", "rate_limits", "running_answers")
"""A login that has ended does not come back, and what replicas tell each other is over in minutes."""

_KINDS: tuple[tuple[type, Kind], ...] = ((JSON, "json"), (DateTime, "moment"), (Date, "date"), (Boolean, "boolean"))


def back_up(settings: Settings, path: Path, on_progress: Callable[[int, int], None]) -> Manifest:
    """Write everything that a new machine needs but the models; progress is in rows. Blocks.

    The tables are read as they are, of whatever revision: the time to do so is before an upgrade.

    Raises:
        BackupError: there is nothing to back up, or the file cannot be written.
    """
    try:
        with _one_moment(settings.resolved_database_url) as connection, writing(path) as writer:
            tables = _tables(connection)
            total = sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
            done = 0

            def advance(rows: int) -> None:
                nonlocal done
                done += rows
                on_progress(done, total)

            copies = [
                writer.table(table.name, [(c.name, _kind(c)) for c in table.columns], _rows(connection, table), advance)
                for table in tables
            ]
            manifest = Manifest(
                format=FORMAT,
                program=version("frontdesk-bot"),
                made_at=datetime.now(UTC),
                database=connection.dialect.name,
                revision=_revision(connection),
                tables=copies,
                files={name: writer.file(name, content) for name, content in _files(settings)},
                models=[_reference(settings, "chat"), _reference(settings, "embedding")],
            )
            writer.manifest(manifest)
    except SQLAlchemyError as error:
        raise BackupError(f"the database cannot be read: {type(error).__name__}") from error
    return manifest


@contextmanager
def _one_moment(url: str) -> Iterator[Connection]:
    """Give a connection that sees the database as it is now until the end, and keeps nobody from writing."""
    engine = create_engine(blocking_url(url), poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        if not Path(str(engine.url.database)).is_file():
            raise BackupError(f"there is no database at {engine.url.database}")
        event.listen(engine, "connect", _no_implicit_begin)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        options: dict[str, Any] = {}
    else:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        with engine.connect().execution_options(**options) as connection:
            yield connection
    finally:
        engine.dispose()


def _no_implicit_begin(connection: Any, _record: Any) -> None:
    """Leave beginning to us; readers that log ahead see one moment, and writers go on."""
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=10000")
    connection.execute("PRAGMA journal_mode=WAL")


def _revision(connection: Connection) -> str:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        raise BackupError("the database has no tables of FrontDesk; there is nothing to back up")
    return revision


def _tables(connection: Connection) -> list[Table]:
    """Return the tables that are there, those first that others refer to."""
    _revision(connection)
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name not in (REVISIONS, *LEFT_OUT), resolve_fks=False)
    return found.sorted_tables


def _kind(column: Column[Any]) -> Kind:
    return next((kind for each, kind in _KINDS if isinstance(column.type, each)), "plain")


def _rows(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    kinds = [_kind(column) for column in table.columns]
    columns: list[ColumnElement[Any]] = [
        cast(column, Text) if kind == "json" else column for column, kind in zip(table.columns, kinds, strict=True)
    ]
    query = select(*columns).order_by(*table.primary_key.columns).execution_options(yield_per=1_000)
    for row in connection.execute(query):
        yield [_plain(value) for value in row]


def _plain(value: Any) -> Any:
    if not isinstance(value, date):
        return value
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat()


def _files(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Yield the settings file and the secret that visitors' tokens are signed with, as far as they are there."""
    for name, path in ((SETTINGS_FILE, config_path()), (KEPT_IN, settings.data_dir.expanduser() / KEPT_IN)):
        if path.is_file():
            yield name, path.read_bytes()


def _reference(settings: Settings, role: Role) -> ModelReference:
    library, models = ModelLibrary(settings.models_dir.expanduser()), settings.models
    name = models.chat if role == "chat" else chosen_model(models.embedding, library, in_eight_bits=models.fast_weights)
    try:
        weights = library.find(name, role)
    except ModelError:  # it is not here, or on another server
        return ModelReference(role=role, name=name)
    digest = weights.record.sha256
    if digest is None:
        with weights.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ModelReference(role=role, name=name, file=weights.path.name, sha256=digest)
