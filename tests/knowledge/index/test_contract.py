"""Each kind of index is held to the contract, for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.knowledge.index import places
from tests.knowledge.index.contract import SharedIndexContract, VectorIndexContract
from tests.knowledge.index.places import Place
from tests.postgres import PostgresServer


class TestFaiss(VectorIndexContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return places.folder(tmp_path / "index")


class TestPgvector(SharedIndexContract):
    @pytest.fixture
    def place(self, postgres_server: PostgresServer) -> Iterator[Place]:
        with places.postgres(postgres_server) as place:
            yield place


class TestMilvus(SharedIndexContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[Place]:
        with places.milvus(tmp_path) as place:
            yield place
