from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.embedding.base import Embedder, to_unit
from tests.knowledge.embedding.contract import EmbedderContract
from tests.knowledge.fakes import HashEmbedder, examples


@examples
@given(st.lists(st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3), min_size=1, max_size=4))
def test_rows_have_length_one_unless_they_are_zero(rows: list[list[float]]) -> None:
    vectors = np.array(rows, dtype=np.float32)
    lengths = np.linalg.norm(to_unit(vectors), axis=1)
    large = np.abs(vectors).max(axis=1) > 1e-6
    assert np.allclose(lengths[large], 1, atol=1e-4)


def test_zeros_stay_zeros() -> None:
    assert not to_unit(np.zeros((2, 3), dtype=np.float32)).any()


def test_vectors_are_laid_out_as_faiss_reads_them() -> None:
    vectors = to_unit(np.ones((3, 4), dtype=np.float64).T)
    assert vectors.dtype == np.float32
    assert vectors.flags["C_CONTIGUOUS"]


class TestTheEmbedderOfTheTests(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return HashEmbedder()
