"""What every embedder is held to: subclass `EmbedderContract` and override the fixture `embedder`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge.embedding.base import Embedder, Vectors

Embed = Callable[[Sequence[str]], Vectors]
TEXTS = ["怎么退货？", "How do I return it?", "退货", "", "退货 return " * 40, "😀", "\u200b"]


def is_unit_or_zero(vectors: Vectors) -> bool:
    lengths = np.linalg.norm(vectors, axis=1)
    return bool(np.all((np.abs(lengths - 1) < 1e-3) | (lengths == 0)))


class EmbedderContract:
    """One test for each promise of the protocol `Embedder`."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        raise NotImplementedError("give the embedder that is to be held to the contract")

    @pytest.fixture(params=["embed_queries", "embed_passages"])
    def embed(self, embedder: Embedder, request: pytest.FixtureRequest) -> Embed:
        method: Embed = getattr(embedder, request.param)
        return method

    def test_every_text_has_a_row_of_floats(self, embed: Embed) -> None:
        vectors = embed(TEXTS)
        assert (vectors.dtype, vectors.ndim, len(vectors)) == (np.float32, 2, len(TEXTS))

    def test_every_row_is_a_unit_vector_or_nothing(self, embed: Embed) -> None:
        assert is_unit_or_zero(embed(TEXTS))

    def test_no_texts_have_no_rows(self, embed: Embed) -> None:
        vectors = embed([])
        assert (vectors.ndim, len(vectors)) == (2, 0)

    def test_queries_and_passages_can_be_compared(self, embedder: Embedder) -> None:
        assert embedder.embed_queries(["a"]).shape == embedder.embed_passages(["b"]).shape

    def test_a_text_has_the_same_vector_in_any_company(self, embed: Embed) -> None:
        together, alone = embed(TEXTS), np.vstack([embed([text]) for text in TEXTS])
        assert np.all(np.linalg.norm(together - alone, axis=1) < 0.15)  # a cosine distance of 0.01

    def test_threads_do_not_disturb_each_other(self, embed: Embed) -> None:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda text: embed([text])[0], TEXTS[:3] * 4))
        expected = [embed([text])[0] for text in TEXTS[:3]] * 4
        assert np.allclose(found, expected, atol=0.02)

    def test_the_name_and_the_fingerprint_stay_the_same(self, embedder: Embedder) -> None:
        before = (embedder.name, embedder.fingerprint)
        embedder.warm_up()
        embedder.warm_up()
        assert (embedder.name, embedder.fingerprint) == before
        assert all(before)

    def test_the_inputs_are_left_as_they_were(self, embed: Embed) -> None:
        texts = list(TEXTS)
        embed(texts)
        assert texts == TEXTS

    def test_the_methods_are_not_coroutines(self, embedder: Embedder) -> None:
        assert not any(map(inspect.iscoroutinefunction, (embedder.embed_queries, embedder.embed_passages)))
