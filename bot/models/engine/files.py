"""States on disk, a file each, so that a restart does not forget what was computed.

A file begins with a magic word, the fingerprint of what computed it, a checksum, and the tokens; what is not whole or
not of this fingerprint is passed over. The least recently used files go when the folder is over its budget.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import struct
import threading
import zlib
from bisect import bisect_left, insort
from collections.abc import Iterator
from pathlib import Path

import structlog

from bot.models.engine.prefixes import Key, Match, nearest

log = structlog.get_logger()

MAGIC = b"FDKV1\0"
HEADER = struct.Struct("<6s32sIIQ")
"""Magic word, fingerprint, checksum of what follows, bytes of the key, bytes of the state."""

SUFFIX = ".state"


class StateFiles:
    """A folder of states that one fingerprint computed; states of others are left to whoever made them."""

    def __init__(self, folder: Path, fingerprint: bytes, budget: int) -> None:
        """See what is there; `fingerprint` has 32 bytes, `budget` is in bytes."""
        self._folder, self._fingerprint, self._budget = folder, fingerprint, budget
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sorted: list[Key] = sorted(self._read_keys())
        self._lock = threading.Lock()
        self._writes: queue.Queue[tuple[Key, bytes] | None] = queue.Queue(8)
        self._writer = threading.Thread(target=self._write_all, name="states", daemon=True)
        self._writer.start()

    def __len__(self) -> int:
        """Count the states of this fingerprint."""
        return len(self._sorted)

    def __contains__(self, key: Key) -> bool:
        """Say whether the state of exactly these tokens is here."""
        with self._lock:
            place = bisect_left(self._sorted, key)
            return place < len(self._sorted) and self._sorted[place] == key

    def find(self, key: Key) -> Match | None:
        """Return the state with the longest beginning in common, None if none has one."""
        with self._lock:
            return nearest(self._sorted, key)

    def read(self, key: Key) -> bytes | None:
        """Return a state and count it as used; one that proves bad is deleted and gives None."""
        path = self._path(key)
        try:
            data = path.read_bytes()
            os.utime(path)
            return self._check(key, data)
        except (OSError, ValueError, struct.error) as error:
            log.warning("a saved state is of no use", file=str(path), reason=str(error))
            self._forget(path, key)
            return None

    def drop(self, key: Key) -> None:
        """Delete a state."""
        self._forget(self._path(key), key)

    def write(self, key: Key, state: bytes) -> None:
        """Write a state in the background; one that is too large is left out, and any when the disk is too slow."""
        if len(key) + len(state) + HEADER.size > self._budget:
            return
        with contextlib.suppress(queue.Full):
            self._writes.put_nowait((key, state))

    def close(self) -> None:
        """Wait for the last write."""
        self._writes.put(None)
        self._writer.join()

    def _check(self, key: Key, data: bytes) -> bytes:
        magic, fingerprint, checksum, key_size, size = HEADER.unpack_from(data)
        body = memoryview(data)[HEADER.size :]
        if magic != MAGIC or fingerprint != self._fingerprint or len(body) != key_size + size:
            raise ValueError("it is not whole")
        if bytes(body[:key_size]) != key or zlib.crc32(body) != checksum:
            raise ValueError("its checksum is wrong")
        return bytes(body[key_size:])

    def _read_keys(self) -> Iterator[Key]:
        for path in self._folder.glob("*" + SUFFIX):
            with contextlib.suppress(OSError, struct.error), path.open("rb") as file:
                magic, fingerprint, _, key_size, _ = HEADER.unpack(file.read(HEADER.size))
                key = file.read(min(key_size, 1 << 20))
                if magic == MAGIC and fingerprint == self._fingerprint and path == self._path(key):
                    yield key

    def _path(self, key: Key) -> Path:
        return self._folder / (hashlib.sha256(self._fingerprint + key).hexdigest()[:32] + SUFFIX)

    # In the writer's thread.

    def _write_all(self) -> None:
        while (item := self._writes.get()) is not None:
            key, state = item
            try:
                self._write(key, state)
            except Exception as error:  # the thread must survive, or nobody ever takes what is queued
                log.warning("a state could not be saved", reason=str(error) or type(error).__name__)

    def _write(self, key: Key, state: bytes) -> None:
        path = self._path(key)
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        header = HEADER.pack(MAGIC, self._fingerprint, zlib.crc32(state, zlib.crc32(key)), len(key), len(state))
        try:
            unfinished.touch(0o600)
            unfinished.write_bytes(header + key + state)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        with self._lock:
            if key not in self._sorted:
                insort(self._sorted, key)
        self._keep_to_budget()

    def _keep_to_budget(self) -> None:
        """Delete what was used least recently, of whatever fingerprint."""
        files = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        used = sum(size for _, size, _ in files)
        names = {self._path(key): key for key in self._sorted} if used > self._budget else {}
        for _, size, path in sorted(files):
            if used <= self._budget:
                break
            self._forget(path, names.get(path))
            used -= size

    def _forget(self, path: Path, key: Key | None) -> None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        with self._lock:
            if key in self._sorted:
                self._sorted.remove(key)
