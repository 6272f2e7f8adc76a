"""The file of a backup: a zip of tables as lines of JSON, a few small files, and a manifest that proves them whole."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import BaseModel, ConfigDict

from bot.errors import BackupError

Kind = Literal["plain", "moment", "date", "boolean", "json"]
"""Of a column: a moment is ISO 8601 in UTC, JSON is the text that the database holds."""

FORMAT = 1
MANIFEST = "manifest.json"
PARTIAL = ".part"
ROWS = 1_000
"""So many are written at a time."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Advance = Callable[[int], None]
"""Is told of so many rows more."""

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises for bytes that are not as they were written."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class TableCopy(_Part):
    """One table: its columns, how many rows there are, and the hash of its lines."""

    name: str
    columns: list[tuple[str, Kind]]
    rows: int
    sha256: str


class ModelReference(_Part):
    """A model that answered, which is not in the backup; without a hash if it has no file of its own."""

    role: str
    name: str
    file: str | None = None
    sha256: str | None = None


class Manifest(_Part):
    """What is in a backup; `revision` is that of the tables, `files` have a hash each."""

    format: int
    program: str
    made_at: datetime
    database: str
    revision: str
    tables: list[TableCopy]
    files: dict[str, str]
    models: list[ModelReference]

    @property
    def rows(self) -> int:
        """How many there are in all tables."""
        return sum(table.rows for table in self.tables)


class BackupWriter:
    """Writes the parts of a backup one after the other, the manifest last."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Begin with an empty archive."""
        self._archive = archive

    def table(
        self, name: str, columns: Sequence[tuple[str, Kind]], rows: Iterable[Sequence[Any]], advance: Advance
    ) -> TableCopy:
        """Write a table's rows, whose values can be written as JSON."""
        digest, count = hashlib.sha256(), 0
        with self._archive.open(_member(name), "w", force_zip64=True) as out:
            remaining = iter(rows)
            while some := list(islice(remaining, ROWS)):
                lines = "".join(f"{_encode(list(row))}\n" for row in some).encode()
                digest.update(lines)
                out.write(lines)
                count += len(some)
                advance(len(some))
        return TableCopy(name=name, columns=list(columns), rows=count, sha256=digest.hexdigest())

    def file(self, name: str, content: bytes) -> str:
        """Write a small file, and return its hash."""
        self._archive.writestr(f"files/{name}", content)
        return hashlib.sha256(content).hexdigest()

    def manifest(self, manifest: Manifest) -> None:
        """Write what has been written."""
        self._archive.writestr(MANIFEST, manifest.model_dump_json(indent=2))


@contextmanager
def writing(path: Path) -> Iterator[BackupWriter]:
    """Give a writer of a new file that only its owner can read, and that is there complete or not at all.

    Raises:
        BackupError: there is such a file, or it cannot be written.
    """
    if path.exists():
        raise BackupError(f"{path} is there already; a backup never overwrites another")
    partial = path.with_name(path.name + PARTIAL)
    try:
        partial.unlink(missing_ok=True)  # of a backup that was killed
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                yield BackupWriter(archive)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


class BackupReader:
    """Reads a backup."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read what is in it; raises BackupError if a newer program made it."""
        self._archive = zipfile.ZipFile(file)
        manifest = json.loads(self._archive.read(MANIFEST))
        if manifest["format"] > FORMAT:
            raise BackupError(f"the backup was made by a newer FrontDesk ({manifest['program']}); use that one")
        self.manifest = Manifest.model_validate(manifest)

    def check(self, advance: Advance) -> None:
        """Read everything and compare the hashes; raises ValueError."""
        for table in self.manifest.tables:
            digest = hashlib.sha256()
            lines = 0
            with self._archive.open(_member(table.name)) as member:
                while part := member.read(1 << 20):
                    digest.update(part)
                    lines += (found := part.count(b"\n"))
                    advance(found)
            if (digest.hexdigest(), lines) != (table.sha256, table.rows):
                raise ValueError(table.name)
        for name in self.manifest.files:
            self.file(name)

    def rows(self, table: TableCopy) -> Iterator[list[Any]]:
        """Yield a table's rows."""
        with self._archive.open(_member(table.name)) as member:
            for line in member:
                yield json.loads(line)

    def file(self, name: str) -> bytes:
        """Return a small file; raises ValueError if it is not what was written."""
        content = self._archive.read(f"files/{name}")
        if hashlib.sha256(content).hexdigest() != self.manifest.files[name]:
            raise ValueError(name)
        return content


@contextmanager
def reading(path: Path, on_progress: Callable[[int, int], None]) -> Iterator[BackupReader]:
    """Give a reader of a backup that has been found whole; progress is in rows.

    Raises:
        BackupError: it is not there, no backup, damaged, or of a newer program.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        yield _whole(file, path, on_progress)


def _whole(file: IO[bytes], path: Path, on_progress: Callable[[int, int], None]) -> BackupReader:
    try:
        reader = BackupReader(file)
    except (*_DAMAGE, TypeError) as error:  # pydantic's are ValueErrors
        raise BackupError(f"{path} is damaged, or no backup of FrontDesk") from error
    manifest, done = reader.manifest, 0

    def advance(rows: int) -> None:
        nonlocal done
        done += rows
        on_progress(done, manifest.rows)

    try:
        reader.check(advance)
    except _DAMAGE as error:
        raise BackupError(f"{path} is damaged: its checksum is wrong; nothing was changed") from error
    return reader


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"


def owners_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all, in the place of what is there."""
    partial = path.with_name(path.name + PARTIAL)
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
