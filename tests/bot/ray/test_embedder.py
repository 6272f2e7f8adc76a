from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ray.exceptions import ActorDiedError

from bot.ray.embedder import BATCH_TEXTS, TRIES, ReplicatedEmbedder
from knowledge.embedding.base import Embedder
from knowledge.errors import ModelUnavailable
from tests.bot.ray.fakes import Call, FakeHandle
from tests.knowledge.embedding.contract import EmbedderContract
from tests.knowledge.fakes import HashEmbedder


class ReplicaOfHashes(FakeHandle):
    """Embeds as the embedder of the tests does, but for the calls that are to fail."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures

    def options(self, **options: Any) -> Call:
        if self.failures:
            self.failures -= 1
            self.replies.append([ActorDiedError()])
        elif options["method_name"] == "describe":
            self.replies.append([("pairs", "hash")])
        else:
            self.replies.append(HashEmbedder().embed_queries)
        return super().options(**options)


class TestReplicatedEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return ReplicatedEmbedder(ReplicaOfHashes())


def test_many_texts_go_to_several_replicas_and_keep_their_order() -> None:
    handle = ReplicaOfHashes()
    texts = [f"question {number}" for number in range(2 * BATCH_TEXTS + 1)]
    assert np.array_equal(ReplicatedEmbedder(handle).embed_passages(texts), HashEmbedder().embed_queries(texts))
    assert [asked["method_name"] for asked in handle.asked] == ["embed_passages"] * 3


def test_what_a_lost_replica_owes_is_asked_again() -> None:
    handle = ReplicaOfHashes(failures=TRIES - 1)
    assert np.array_equal(ReplicatedEmbedder(handle).embed_queries(["a b"]), HashEmbedder().embed_queries(["a b"]))


def test_after_several_losses_it_is_said() -> None:
    embedder = ReplicatedEmbedder(ReplicaOfHashes(failures=TRIES))
    with pytest.raises(ModelUnavailable, match="ActorDiedError"):
        embedder.embed_queries(["a"])
