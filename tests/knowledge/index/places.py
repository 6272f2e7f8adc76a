"""Where indexes are kept, each kind for real: a folder, a PostgreSQL with pgvector, a milvus-lite of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from knowledge.index.base import VectorIndexes
from knowledge.index.dense import FaissIndexes
from knowledge.index.milvus import MilvusIndexes
from knowledge.index.pgvector import PgvectorIndexes
from tests.bot.servers import unused_port
from tests.postgres import PostgresServer


@dataclass
class Place:
    """One place. `connect` makes another client, as a replica would; `names` are all indexes that take up room."""

    connect: Callable[[], VectorIndexes]
    names: Callable[[], list[str]]
    go_away: Callable[[], None] | None = None
    come_back: Callable[[], None] | None = None
    code: str = ""
    """Makes such a client in another process."""


def folder(path: Path) -> Place:
    return Place(
        connect=lambda: FaissIndexes(path),
        names=lambda: [file.parent.name for file in path.glob("*/dense.faiss")],
        code=f"from knowledge.index.dense import *\nplace = FaissIndexes(Path({str(path)!r}))",
    )


_names = count(1)


@contextlib.contextmanager
def postgres(server: PostgresServer) -> Iterator[Place]:
    """Make a database, without the extension yet."""
    name = f"vectors_{next(_names)}"
    server.execute(f"CREATE DATABASE {name}")
    try:
        yield _database(server.url(name))
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _database(url: str) -> Place:
    database = str(make_url(url).database)
    maintenance = make_url(url).set(drivername="postgresql", database="postgres")

    def execute(statement: str, *, at: str) -> list[str]:
        with psycopg.connect(at, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def at(database: str) -> str:
        return f"host={maintenance.query['host']} user=postgres dbname={database}"

    def names() -> list[str]:
        tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'index\\_%'"
        return [name.removeprefix("index_") for name in execute(tables, at=at(database))]

    def go_away() -> None:
        execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false", at=at("postgres"))
        execute(
            f"SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname = '{database}'",
            at=at("postgres"),
        )

    return Place(
        connect=lambda: PgvectorIndexes(url),
        names=names,
        go_away=go_away,
        come_back=lambda: execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true", at=at("postgres")) and None,
        code=f"from knowledge.index.pgvector import *\nplace = PgvectorIndexes({url!r})",
    )


@contextlib.contextmanager
def milvus(path: Path) -> Iterator[Place]:
    """Run a milvus-lite behind a port, as a server would be."""
    from milvus_lite.adapter.grpc.server import start_server_in_thread  # noqa: PLC0415 - seconds

    port = unused_port()
    running: list[Any] = []
    clients: list[MilvusIndexes] = []

    def start() -> None:
        running[:] = start_server_in_thread(data_dir=str(path), host="127.0.0.1", port=port)

    def stop() -> None:
        server, database, _ = running
        server.stop(grace=0).wait()
        database.close()
        running.clear()

    def connect() -> MilvusIndexes:
        clients.append(MilvusIndexes(f"http://127.0.0.1:{port}"))
        return clients[-1]

    start()
    observer = connect()
    try:
        yield Place(
            connect=connect,
            names=lambda: [
                name.removeprefix("frontdesk_").rpartition("_")[0] for name in observer.client.list_collections()
            ],
            go_away=stop,
            come_back=start,
            code=f"from knowledge.index.milvus import *\nplace = MilvusIndexes('http://127.0.0.1:{port}')",
        )
    finally:
        for client in clients:
            client.close()
        if running:
            stop()
