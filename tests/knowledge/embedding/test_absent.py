from __future__ import annotations

import pytest

from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.base import Embedder
from tests.knowledge.embedding.contract import EmbedderContract


class TestAbsentEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return AbsentEmbedder()


def test_nothing_is_like_anything() -> None:
    embedder = AbsentEmbedder()
    assert not (embedder.embed_queries(["退货"]) @ embedder.embed_passages(["退货"]).T).any()
