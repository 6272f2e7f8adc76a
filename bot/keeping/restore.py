"""Restoring a backup, of this or the other kind of database, in one transaction: all of it, or nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, func, inspect, select, table, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.errors import BackupError
from bot.keeping.archive import BackupReader, Kind, TableCopy, owners_file
from bot.keeping.backup import REVISIONS, SETTINGS_FILE
from bot.settings import Settings, config_path
from bot.store.database import alone, migration_config, move_tables
from bot.store.tables import Base
from bot.visitors import KEPT_IN

ROWS = 1_000
UNFINISHED = "restore.unfinished"
"""A file in `data_dir` from the beginning of a restore to its end."""


def restore_settings(reader: BackupReader) -> Path | None:
    """Put the backup's settings file where there is none, readable by its owner only; return where that is."""
    path = config_path()
    if path.exists() or SETTINGS_FILE not in reader.manifest.files:
        return None
    owners_file(path, reader.file(SETTINGS_FILE))
    return path


def restore(
    settings: Settings, reader: BackupReader, *, replace: bool, on_progress: Callable[[int, int], None]
) -> None:
    """Fill the database that the settings name, and bring it up to this program's tables; progress is in rows. Blocks.

    Raises:
        BackupError: there is something in it already and `replace` does not say that it may go, the backup or the
            database is of a newer FrontDesk, or the database is in use or refuses.
    """
    if reader.manifest.revision not in _known_revisions():
        raise BackupError(
            f"the backup was made by a newer FrontDesk ({reader.manifest.program}, tables "
            f"{reader.manifest.revision}); restore it with that one"
        )
    folder = settings.data_dir.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with alone(settings.resolved_database_url) as connection:
            _make_room(connection, replace=replace)
            owners_file(folder / UNFINISHED, b"")
            move_tables(connection, reader.manifest.revision)
            _fill(connection, reader, on_progress)
            move_tables(connection, "head")
            _check_references(connection)
    except BaseException as error:
        (folder / UNFINISHED).unlink(missing_ok=True)  # all was taken back; only who is killed leaves it
        if not isinstance(error, SQLAlchemyError):
            raise
        raise BackupError(f"the database refused, and is as it was: {_reason(error)}") from error
    if KEPT_IN in reader.manifest.files:
        owners_file(folder / KEPT_IN, reader.file(KEPT_IN))
    (folder / UNFINISHED).unlink()


def is_unfinished(settings: Settings) -> bool:
    """Say whether a restore was begun and has not come to its end."""
    return (settings.data_dir.expanduser() / UNFINISHED).exists()


def _known_revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(migration_config("")).walk_revisions()}


def _make_room(connection: Connection, *, replace: bool) -> None:
    """Drop the tables of FrontDesk; others that a PostgreSQL database may have stay."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))  # whoever uses a table keeps it from being dropped
    ours = [name for name in inspect(connection).get_table_names() if name in (*Base.metadata.tables, REVISIONS)]
    if not replace and any(_is_filled(connection, name) for name in ours if name != REVISIONS):
        raise BackupError("the database is not empty; with --replace, all that is in it now is deleted")
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in _known_revisions():
        raise BackupError("the database was made by a newer FrontDesk; restore into an empty one instead")
    found = MetaData()
    found.reflect(connection, only=ours)
    found.drop_all(connection)


def _is_filled(connection: Connection, name: str) -> bool:
    return bool(connection.scalar(select(func.count()).select_from(table(name)).limit(1)))


def _fill(connection: Connection, reader: BackupReader, on_progress: Callable[[int, int], None]) -> None:
    put = _copy if connection.dialect.name == "postgresql" else _insert
    done, total = 0, reader.manifest.rows
    there = inspect(connection)
    for each in reader.manifest.tables:
        unknown = {name for name, _ in each.columns} - {column["name"] for column in there.get_columns(each.name)}
        if unknown:
            raise BackupError(f"the backup has columns of {each.name} that its tables never had: {unknown}")
        rows = reader.rows(each)
        while some := list(islice(rows, ROWS)):
            put(connection, each, some)
            done += len(some)
            on_progress(done, total)
        if connection.dialect.name == "postgresql":
            _go_on_counting(connection, each)


def _copy(connection: Connection, copy: TableCopy, rows: Sequence[Sequence[Any]]) -> None:
    """Have PostgreSQL read the values by its own rules, which know JSON and moments as text."""
    raw: Any = connection.connection.driver_connection
    statement = f"COPY {_quoted(connection, [copy.name])} ({_quoted(connection, _names(copy))}) FROM STDIN"
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as out:
            for row in rows:
                out.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error) from error


def _insert(connection: Connection, copy: TableCopy, rows: Sequence[Sequence[Any]]) -> None:
    kinds = [kind for _, kind in copy.columns]
    places = ", ".join("?" * len(kinds))
    table, columns = _quoted(connection, [copy.name]), _quoted(connection, _names(copy))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # the names are quoted  # nosec B608
    connection.exec_driver_sql(statement, [tuple(_for_sqlite(row, kinds)) for row in rows])


def _for_sqlite(row: Sequence[Any], kinds: Sequence[Kind]) -> Iterator[Any]:
    for value, kind in zip(row, kinds, strict=True):
        yield f"{value[:10]} {value[11:26]}" if kind == "moment" and value is not None else value


def _names(copy: TableCopy) -> list[str]:
    return [name for name, _ in copy.columns]


def _quoted(connection: Connection, names: Iterable[str]) -> str:
    return ", ".join(connection.dialect.identifier_preparer.quote(name) for name in names)


def _go_on_counting(connection: Connection, copy: TableCopy) -> None:
    """Have PostgreSQL number the next row after those that came with their numbers."""
    if "id" not in _names(copy):
        return
    name = _quoted(connection, [copy.name])
    if connection.scalar(text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": name}) is not None:
        last = f"max(id)) FROM {name} HAVING max(id) > 0"
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence(:table, 'id'), {last}"), {"table": name})  # nosec B608


def _check_references(connection: Connection) -> None:
    """SQLite was told not to look while tables were made anew."""
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if lost is not None:
            raise BackupError(f"the backup has rows of {lost[0]} that refer to nothing; nothing was changed")


def _reason(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
