from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.embedding.base import Vectors, to_unit
from knowledge.errors import IndexUnavailable
from knowledge.index import base, dense
from knowledge.index.dense import FaissIndex
from tests.knowledge.fakes import examples


def random_vectors(count: int, dimensions: int = 16) -> Vectors:
    return to_unit(np.random.default_rng(3).standard_normal((count, dimensions)).astype(np.float32))


VECTORS = random_vectors(300)


@pytest.fixture(params=["flat", "cells"])
def index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FaissIndex:
    """Give an index of each kind."""
    if request.param == "cells":
        monkeypatch.setattr(base, "FLAT_ROWS", 100)
    return FaissIndex.build(VECTORS)


def test_a_vector_finds_itself_first(index: FaissIndex) -> None:
    assert [index.search(vector, 1)[1][0] for vector in VECTORS] == list(range(len(VECTORS)))


def test_building_says_nothing(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(base, "FLAT_ROWS", 100)
    FaissIndex.build(VECTORS)
    assert capfd.readouterr() == ("", "")


def test_the_best_rows_come_in_order(index: FaissIndex) -> None:
    scores, rows = index.search(VECTORS[0], 10)
    exact = VECTORS @ VECTORS[0]
    assert np.all(np.diff(scores) <= 0)
    assert np.allclose(scores, exact[rows], atol=0.01)
    assert np.all(exact[rows] >= np.sort(exact)[-10] - 0.01)


def test_an_exact_index_is_exact() -> None:
    scores, rows = FaissIndex.build(VECTORS).search(VECTORS[0], 10)
    assert list(rows) == list(np.argsort(-(VECTORS @ VECTORS[0]))[:10])
    assert np.allclose(scores, np.sort(VECTORS @ VECTORS[0])[::-1][:10], atol=1e-5)


def test_asking_for_more_rows_than_there_are_gives_none_twice(index: FaissIndex) -> None:
    _, rows = index.search(VECTORS[0], 4_096)
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(range(len(VECTORS)))


def test_an_exact_index_gives_every_row_that_is_asked_for() -> None:
    _, rows = FaissIndex.build(VECTORS).search(VECTORS[0], 4_096)
    assert sorted(rows) == list(range(len(VECTORS)))


def test_a_saved_index_finds_the_same(index: FaissIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "index")
    loaded = FaissIndex.load(tmp_path / "index")
    for before, after in zip(index.search(VECTORS[5], 20), loaded.search(VECTORS[5], 20), strict=True):
        assert np.array_equal(before, after)


def test_many_rows_make_cells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(base, "FLAT_ROWS", len(VECTORS) - 1)
    FaissIndex.build(VECTORS).save(tmp_path / "index")
    assert isinstance(faiss.read_index(str(tmp_path / "index")), faiss.IndexIVFScalarQuantizer)


def test_as_many_rows_as_are_allowed_stay_exact(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(base, "FLAT_ROWS", len(VECTORS))
    FaissIndex.build(VECTORS).save(tmp_path / "index")
    assert isinstance(faiss.read_index(str(tmp_path / "index")), faiss.IndexFlat)


def test_loaded_cells_are_searched_as_widely_as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(base, "FLAT_ROWS", 100)
    monkeypatch.setattr(dense, "SEARCHED_CELLS", 7)
    FaissIndex.build(VECTORS).save(tmp_path / "index")
    assert faiss.downcast_index(faiss.read_index(str(tmp_path / "index"))).nprobe == 7


def test_rows_in_groups_are_found_in_few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "FLAT_ROWS", 1_000)
    monkeypatch.setattr(dense, "SEARCHED_CELLS", 40)
    random = np.random.default_rng(1)
    middles = random.standard_normal((500, 32), dtype=np.float32)
    vectors = to_unit(np.repeat(middles, 8, axis=0) + 0.4 * random.standard_normal((4_000, 32), dtype=np.float32))
    index = FaissIndex.build(vectors)
    right = 0
    for question in vectors[::40]:
        right += len(set(index.search(question, 100)[1][:5]) & set(np.argsort(-(vectors @ question))[:5]))
    assert right >= 0.97 * 5 * 100


@pytest.mark.parametrize("content", [b"", b"garbage", b"IxFI"], ids=["empty", "garbage", "only the name"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index").write_bytes(content)
    with pytest.raises(IndexUnavailable, match="damaged"):
        FaissIndex.load(tmp_path / "index")


@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_a_truncated_file_is_told(index: FaissIndex, tmp_path: Path, kept: float) -> None:
    index.save(tmp_path / "index")
    content = (tmp_path / "index").read_bytes()
    (tmp_path / "index").write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(IndexUnavailable):
        FaissIndex.load(tmp_path / "index")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable):
        FaissIndex.load(tmp_path / "nowhere")


@examples
@given(st.integers(1, 30), st.integers(1, 40))
def test_scores_fall_and_rows_differ(rows_there: int, rows_asked: int) -> None:
    vectors = random_vectors(rows_there)
    scores, rows = FaissIndex.build(vectors).search(vectors[0], rows_asked)
    assert len(rows) == len(set(rows)) == min(rows_there, rows_asked)
    assert np.all(np.diff(scores) <= 1e-6)
