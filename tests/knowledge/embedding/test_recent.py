from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge.embedding.base import Embedder
from knowledge.embedding.recent import RecentQueries
from tests.knowledge.embedding.contract import EmbedderContract
from tests.knowledge.fakes import HashEmbedder


class TestRecentQueries(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return RecentQueries(HashEmbedder(), size=3)


def test_a_question_is_embedded_once() -> None:
    own = HashEmbedder()
    recent = RecentQueries(own)
    first = recent.embed_queries(["a", "b", "a"])
    again = recent.embed_queries(["b", "c", "a"])
    assert own.embedded == ["a", "b", "c"]
    np.testing.assert_array_equal(first[[1, 0]], again[[0, 2]])


def test_the_one_asked_longest_ago_is_forgotten() -> None:
    own = HashEmbedder()
    recent = RecentQueries(own, size=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        recent.embed_queries([text])
    assert own.embedded == ["a", "b", "c", "b"]


def test_passages_are_not_remembered() -> None:
    own = HashEmbedder()
    recent = RecentQueries(own)
    recent.embed_passages(["a"])
    recent.embed_queries(["a"])
    assert own.embedded == ["a", "a"]


def test_it_passes_for_the_other() -> None:
    own = HashEmbedder("mine")
    recent = RecentQueries(own)
    recent.warm_up()
    assert (recent.name, recent.fingerprint) == (own.name, "mine")


def test_what_was_asked_can_be_forgotten() -> None:
    own = HashEmbedder()
    recent = RecentQueries(own)
    recent.embed_queries(["a"])
    recent.forget()
    recent.embed_queries(["a"])
    assert own.embedded == ["a", "a"]


def test_threads_do_not_lose_each_others_vectors() -> None:
    recent, own = RecentQueries(HashEmbedder(), size=5), HashEmbedder()
    texts = [f"question {number}" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: recent.embed_queries([text, texts[0]])[0], texts * 20))
    np.testing.assert_array_equal(found, np.vstack([own.embed_queries([text]) for text in texts] * 20))
