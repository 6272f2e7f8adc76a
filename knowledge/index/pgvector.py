"""Indexes in PostgreSQL, by its extension pgvector: one table each, in a schema of their own.

An index is made in one transaction, so that it is there whole or not at all; a lock of the database's lets one of those
who make the same go first. Vectors are indexed by IVFFlat, which is built once over rows that never change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from pgvector import Vector
from pgvector.psycopg import register_vector
from psycopg import Error
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from knowledge.embedding.base import OnProgress, Vectors
from knowledge.errors import IndexMissing
from knowledge.index import base
from knowledge.index.base import PATIENCE_SECONDS, Reach, Rows, check_length

SCHEMA = "frontdesk_vectors"

CONNECTIONS = 16
"""As many as there are searches at once."""

PROBED_SHARE, PROBED_AT_LEAST = 0.2, 64
"""Of the lists, which are the square root of the rows: 6 % found 91 % of the ten nearest of a million, 20 % find 96."""

MEMORY = "1GB"
"""What building may use; it needs 50 rows a list at least."""

ADDED_ROWS = 5_000
"""Rows between two reports of progress."""

MOST_DIMENSIONS = 2_000
"""Longer vectors cannot be indexed by pgvector, and are all compared."""

IN_ONE_PIECE = 1_900
"""Vectors up to here fit into a page; kept in it, they are read without looking into a second table."""

TABLES = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.indexes (name text PRIMARY KEY, rows int NOT NULL, "
    "dimensions int NOT NULL, used_at timestamptz NOT NULL)",
)

REACHING = {
    "connect_timeout": PATIENCE_SECONDS,
    "tcp_user_timeout": PATIENCE_SECONDS * 1_000,
    "keepalives_idle": PATIENCE_SECONDS,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}
"""So that a machine that is gone without a word is noticed (libpq, "Parameter Key Words")."""

SEARCHING = (
    f"SET statement_timeout = {PATIENCE_SECONDS * 1_000}",
    "SET enable_seqscan = off",  # the planner thinks that sorting all rows is cheaper than 4,096 of them in order
    "SET max_parallel_workers_per_gather = 0",
    "SET jit = off",
)


class PgvectorIndexes:
    """Keeps indexes in a database."""

    def __init__(self, url: str) -> None:
        """Prepare; the first use connects. Raises ValueError if the address is not one of PostgreSQL."""
        try:
            place = make_url(url)
        except ArgumentError as error:
            raise ValueError("it is no address of a database") from error
        if place.drivername != "postgresql+psycopg":
            raise ValueError("it must be that of a PostgreSQL: postgresql://USER:PASSWORD@HOST/NAME")
        self._engine = create_engine(
            place,
            pool_size=CONNECTIONS,
            max_overflow=2,
            pool_timeout=PATIENCE_SECONDS,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
            connect_args=REACHING,
        )
        event.listen(self._engine, "connect", _set_up)
        host = place.host or place.query.get("host", "localhost")
        self.reach = Reach(f"the vector database at {host}", (SQLAlchemyError, Error))

    def open(self, name: str, shape: tuple[int, ...]) -> PgvectorIndex:
        """Look an index up, and note that it is in use."""
        with self.reach.translated(), self.cursor() as cursor:
            if not (_exists(cursor, f"{SCHEMA}.indexes") and _mark(cursor, name, shape)):
                raise IndexMissing(f"there is no index {name} of {shape[0]} rows of {shape[1]} numbers")
        return PgvectorIndex(self, name, shape)

    def build(self, name: str, vectors: Vectors, on_progress: OnProgress) -> PgvectorIndex:
        """Copy the rows into a table and index them, in one transaction."""
        with self.reach.translated(), self.cursor() as cursor:
            connection = cursor.connection
            with connection.transaction():
                _lock(cursor, SCHEMA)
                for statement in TABLES:
                    cursor.execute(statement)
            register_vector(connection)
            with connection.transaction(), connection.cursor() as filling:  # a new one, that knows the type
                _lock(filling, _table(name))
                if not _mark(filling, name, vectors.shape):
                    _fill(filling, name, vectors, on_progress)
        return PgvectorIndex(self, name, vectors.shape)

    def remove_old(self, keep: int) -> None:
        """Drop the tables of old indexes that nobody uses."""
        old = (
            f"DELETE FROM {SCHEMA}.indexes WHERE used_at < now() - make_interval(secs => %s) AND name NOT IN "  # nosec B608
            f"(SELECT name FROM {SCHEMA}.indexes ORDER BY used_at DESC LIMIT %s) RETURNING name"
        )
        with self.reach.translated(), self.cursor() as cursor, cursor.connection.transaction():
            if not _exists(cursor, f"{SCHEMA}.indexes"):
                return
            for (name,) in cursor.execute(old, [base.UNUSED_SECONDS, keep]).fetchall():
                cursor.execute(f"DROP TABLE IF EXISTS {_table(name)}")

    def check(self) -> str:
        """Say which version answers and how many indexes there are."""
        with self.reach.translated(), self.cursor() as cursor:
            query = "SELECT installed_version, default_version FROM pg_available_extensions WHERE name = 'vector'"
            installed, offered = cursor.execute(query).fetchone() or (None, None)
            if offered is None:
                raise IndexMissing("the database has no extension `vector`; install pgvector there")
            if not _exists(cursor, f"{SCHEMA}.indexes"):
                return f"pgvector {installed or offered} answers, with no indexes yet"
            [count] = cursor.execute(f"SELECT count(*) FROM {SCHEMA}.indexes").fetchone()  # nosec B608
        return f"pgvector {installed} answers, with {count} indexes"

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """Give a cursor of psycopg's, of a connection that is given back."""
        with self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            try:
                with driver.cursor(binary=True) as cursor:
                    yield cursor
            except Error:
                connection.invalidate()  # it may be broken, or have been set up for building
                raise


class PgvectorIndex:
    """One table."""

    def __init__(self, indexes: PgvectorIndexes, name: str, shape: tuple[int, ...]) -> None:
        """Search the table of this name."""
        self._indexes, self._dimensions = indexes, shape[1]
        self._probing = f"SET ivfflat.probes = {max(PROBED_AT_LEAST, round(PROBED_SHARE * _lists(shape[0])))}"
        self._query = (
            "SELECT array_agg(row), array_agg(score) FROM (SELECT row, embedding <#> %(vector)s::vector AS score "  # nosec B608
            f"FROM {_table(name)} ORDER BY embedding <#> %(vector)s::vector LIMIT %(count)s) AS found"
        )

    def search(self, vector: Vectors, count: int) -> tuple[Vectors, Rows]:
        """Return the best rows, by one query; its operator gives the inner product with its sign turned."""
        check_length(vector, self._dimensions)
        with self._indexes.reach.patiently(), self._indexes.cursor() as cursor:
            values = {"vector": Vector(vector).to_text(), "count": count}
            cursor.execute(self._probing)
            rows, scores = cursor.execute(self._query, values).fetchone()
        return -np.array(scores or [], dtype=np.float32), np.array(rows or [], dtype=np.int64)


def _lists(rows: int) -> int:
    return round(math.sqrt(rows))


def _set_up(connection: Any, _record: Any) -> None:
    """Tell a new connection how to search."""
    with connection.cursor() as cursor:
        for setting in SEARCHING:
            cursor.execute(setting)


def _table(name: str) -> str:
    return f"{SCHEMA}.index_{name}"


def _exists(cursor: Any, table: str) -> bool:
    [number] = cursor.execute("SELECT to_regclass(%s)::oid", [table]).fetchone()
    return number is not None


def _lock(cursor: Any, subject: str) -> None:
    """Let one of those who make something go first, until the transaction ends; that may take as long as it takes."""
    cursor.execute("SET LOCAL statement_timeout = 0")
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [subject])


def _mark(cursor: Any, name: str, shape: tuple[int, ...]) -> bool:
    """Note that an index is in use; say whether it is there."""
    query = f"UPDATE {SCHEMA}.indexes SET used_at = now() WHERE (name, rows, dimensions) = (%s, %s, %s) RETURNING name"  # nosec B608
    found = cursor.execute(query, [name, *shape]).fetchone()
    return found is not None and _exists(cursor, _table(name))


def _fill(cursor: Any, name: str, vectors: Vectors, on_progress: OnProgress) -> None:
    """Make the table of an index; it is seen by others once the transaction ends."""
    table, (count, dimensions) = _table(name), vectors.shape
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"DELETE FROM {SCHEMA}.indexes WHERE name = %s", [name])  # nosec B608
    cursor.execute(f"CREATE TABLE {table} (row int NOT NULL, embedding vector({dimensions}) NOT NULL)")
    if dimensions <= IN_ONE_PIECE:
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN embedding SET STORAGE PLAIN")
    with cursor.copy(f"COPY {table} FROM STDIN WITH (FORMAT binary, FREEZE)") as copy:
        copy.set_types(["int4", "vector"])
        for number, vector in enumerate(vectors):
            copy.write_row((number, Vector(vector)))
            if (number + 1) % ADDED_ROWS == 0 or number + 1 == count:
                on_progress(number + 1, count)
    if count > base.FLAT_ROWS and dimensions <= MOST_DIMENSIONS:
        cursor.execute(f"SET LOCAL maintenance_work_mem = '{MEMORY}'")
        cursor.execute(
            f"CREATE INDEX ON {table} USING ivfflat (embedding vector_ip_ops) WITH (lists = {_lists(count)})"
        )
    cursor.execute(f"INSERT INTO {SCHEMA}.indexes VALUES (%s, %s, %s, now())", [name, count, dimensions])  # nosec B608
