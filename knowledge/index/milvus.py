"""Indexes in Milvus: one collection each.

Milvus has no transactions, so a collection is filled under a name of its own and gets the name of its snapshot, an
alias, when it is complete. An alias belongs to one collection: whoever fills the same meanwhile finds it taken.
"""

from __future__ import annotations

import contextlib
import logging
import math
import secrets
import time
from typing import Any

import numpy as np
from grpc import RpcError
from pymilvus import DataType, MilvusClient, MilvusException

from knowledge.embedding.base import OnProgress, Vectors
from knowledge.errors import IndexMissing
from knowledge.index import base
from knowledge.index.base import PATIENCE_SECONDS, Reach, Rows, check_length
from knowledge.index.dense import CELLS_OF_ROOT, SEARCHED_CELLS

PREFIX = "frontdesk_"
USED_AT = "frontdesk.used_at"
"""The property of a collection that says when it was last in use, in seconds since 1970."""

ADDED_ROWS = 2_000
"""Rows in one message; Milvus takes 64 MB."""

CONNECT_SECONDS = 10

CALL_SECONDS = 60
"""For what is not a search."""

INDEXING_SECONDS = 3_600
"""For what may wait until rows are indexed."""

RECONNECTING = {
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.min_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 2_000,
}
"""By default gRPC waits up to two minutes before it tries again."""

ABANDONED_SECONDS = 6 * 3_600
"""A collection that is not complete after so long never will be."""


class MilvusIndexes:
    """Keeps indexes in Milvus: a server, a cluster, or a file by milvus-lite."""

    def __init__(self, url: str, token: str = "") -> None:  # nosec B107 - milvus-lite has none
        """Prepare; the first use connects."""
        self._url, self._token = url, token
        self._connected: MilvusClient | None = None
        self.reach = Reach(f"Milvus at {url.rpartition('@')[2]}", (MilvusException, RpcError, OSError), _describe)

    @property
    def client(self) -> MilvusClient:
        """The connection, made when it is first needed."""
        if self._connected is None:
            logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what fails is raised, and told in a line
            self._connected = MilvusClient(
                self._url, token=self._token, timeout=CONNECT_SECONDS, grpc_options=RECONNECTING
            )
        return self._connected

    def open(self, name: str, shape: tuple[int, ...]) -> MilvusIndex:
        """Look a collection up by its alias, load it, and note that it is in use."""
        alias = PREFIX + name
        with self.reach.translated():
            if not self.client.has_collection(alias, timeout=CALL_SECONDS):
                raise IndexMissing(f"there is no index {alias}")
            found = self.client.describe_collection(alias, timeout=CALL_SECONDS)
            collection = found["collection_name"]
            self.client.load_collection(collection, timeout=CALL_SECONDS)
            if (self._count(collection), _dimensions(found)) != shape:
                raise IndexMissing(f"the index {alias} is of other rows")
            with contextlib.suppress(MilvusException):  # another replica says the same at this moment
                self.client.alter_collection_properties(collection, {USED_AT: _now()}, timeout=CALL_SECONDS)
            index = MilvusIndex(self, collection, shape)
            index.warm_up()
        return index

    def build(self, name: str, vectors: Vectors, on_progress: OnProgress) -> MilvusIndex:
        """Fill a new collection and give it the alias; if somebody else was faster, theirs is used."""
        with contextlib.suppress(IndexMissing):
            return self.open(name, vectors.shape)
        alias, own = PREFIX + name, f"{PREFIX}{name}_{secrets.token_hex(4)}"
        kept = None
        try:
            with self.reach.translated():
                self._fill(own, vectors, on_progress)
                with contextlib.suppress(MilvusException):
                    self.client.create_alias(own, alias, timeout=CALL_SECONDS)
                try:
                    kept = self.open(name, vectors.shape)
                except IndexMissing:  # what has the alias is of no use
                    self.client.alter_alias(own, alias, timeout=CALL_SECONDS)
                    kept = self.open(name, vectors.shape)
        finally:
            if kept is None or kept.collection != own:
                with contextlib.suppress(Exception):  # what cannot be removed now is removed later
                    self.client.drop_collection(own, timeout=PATIENCE_SECONDS)
        return kept

    def remove_old(self, keep: int) -> None:
        """Drop old collections that nobody uses, and those that somebody did not fill to the end."""
        with self.reach.translated():
            complete, abandoned = [], []
            for collection in self._collections():
                found = self.client.describe_collection(collection, timeout=CALL_SECONDS)
                idle = time.time() - int(found["properties"].get(USED_AT, 0))
                if aliases := self.client.list_aliases(collection, timeout=CALL_SECONDS)["aliases"]:
                    complete.append((idle, collection, aliases))
                elif idle > ABANDONED_SECONDS:
                    abandoned.append(collection)
            for idle, collection, aliases in sorted(complete)[keep:]:
                if idle >= base.UNUSED_SECONDS:
                    for alias in aliases:
                        self.client.drop_alias(alias, timeout=CALL_SECONDS)
                    abandoned.append(collection)
            for collection in abandoned:
                self.client.drop_collection(collection, timeout=CALL_SECONDS)

    def check(self) -> str:
        """Say which version answers and how many collections are ours."""
        with self.reach.translated():
            version = self.client.get_server_version(timeout=CONNECT_SECONDS)
            return f"Milvus {version} answers, with {len(self._collections())} indexes"

    def close(self) -> None:
        """Close the connection."""
        if self._connected is not None:
            self._connected.close()

    def _collections(self) -> list[str]:
        names: list[str] = self.client.list_collections(timeout=CALL_SECONDS)
        return [name for name in names if name.startswith(PREFIX)]

    def _count(self, collection: str) -> int:
        [counted] = self.client.query(
            collection, output_fields=["count(*)"], consistency_level="Strong", timeout=CALL_SECONDS
        )
        return int(counted["count(*)"])

    def _fill(self, collection: str, vectors: Vectors, on_progress: OnProgress) -> None:
        count, dimensions = vectors.shape
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimensions)
        index = MilvusClient.prepare_index_params()
        index.add_index("vector", metric_type="IP", **_kind(count))
        self.client.create_collection(
            collection, schema=schema, index_params=index, properties={USED_AT: _now()}, timeout=CALL_SECONDS
        )
        for start in range(0, count, ADDED_ROWS):
            part = vectors[start : start + ADDED_ROWS]
            rows = [{"row": start + number, "vector": vector} for number, vector in enumerate(part)]
            self.client.insert(collection, rows, timeout=INDEXING_SECONDS)
            on_progress(start + len(part), count)
        self.client.flush(collection, timeout=INDEXING_SECONDS)
        self._wait_for_index(collection)

    def _wait_for_index(self, collection: str) -> None:
        """Wait until all rows are indexed; Milvus does that by itself, and compares them all until then."""
        until = time.monotonic() + INDEXING_SECONDS
        while time.monotonic() < until:
            state = self.client.describe_index(collection, "vector", timeout=CALL_SECONDS)
            if not int(state.get("pending_index_rows", 0)):
                return
            time.sleep(1)


class MilvusIndex:
    """One collection."""

    def __init__(self, indexes: MilvusIndexes, collection: str, shape: tuple[int, ...]) -> None:
        """Search the collection of this name."""
        self._indexes, self.collection, self._shape = indexes, collection, shape

    def search(self, vector: Vectors, count: int) -> tuple[Vectors, Rows]:
        """Return the best rows."""
        check_length(vector, self._shape[1])
        if not self._shape[0]:
            return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        with self._indexes.reach.patiently():
            return self._found(vector, min(count, self._shape[0]), PATIENCE_SECONDS)

    def warm_up(self) -> None:
        """Search once, for as long as it takes: the first time, an index may have to be read or even made."""
        if self._shape[0]:
            self._found(np.ones(self._shape[1], dtype=np.float32), 1, CALL_SECONDS)

    def _found(self, vector: Vectors, count: int, timeout: float) -> tuple[Vectors, Rows]:
        [found] = self._indexes.client.search(
            self.collection,
            [vector],
            anns_field="vector",
            limit=count,
            output_fields=["row"],
            search_params={"params": {"nprobe": SEARCHED_CELLS}},
            timeout=timeout,
        )
        return np.array(found.distances, dtype=np.float32), np.array(found.ids, dtype=np.int64)


def _kind(count: int) -> dict[str, Any]:
    """Return the kind of index that is used in memory for so many rows."""
    if count <= base.FLAT_ROWS:
        return {"index_type": "FLAT"}
    return {"index_type": "IVF_SQ8", "params": {"nlist": round(CELLS_OF_ROOT * math.sqrt(count))}}


def _dimensions(found: dict[str, Any]) -> int:
    [dimensions] = [field["params"]["dim"] for field in found["fields"] if field["name"] == "vector"]
    return int(dimensions)


def _now() -> str:
    return str(int(time.time()))


def _describe(error: Exception) -> str:
    """Say what happened without the names of classes."""
    if isinstance(error, RpcError):
        return str(error.details())
    return str(error.message) if isinstance(error, MilvusException) else str(error)
