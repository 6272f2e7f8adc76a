"""What every index of vectors, and every place where such are kept, has to keep to."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding.base import Vectors, no_progress, to_unit
from knowledge.errors import IndexMissing, IndexUnavailable
from knowledge.index import base
from knowledge.index.base import VectorIndex, VectorIndexes
from tests.knowledge.index.places import Place

DIMENSIONS = 32
ROOT = Path(__file__).parent.parent.parent.parent
NAME, OTHER = "0" * 32, "1" * 32


def random_vectors(count: int, seed: int = 3) -> Vectors:
    return to_unit(np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32))


VECTORS = random_vectors(300)


class VectorIndexContract:
    """Subclass it and give a `place`, empty."""

    @pytest.fixture
    def place(self) -> Place:
        raise NotImplementedError

    @pytest.fixture
    def indexes(self, place: Place) -> Iterator[VectorIndexes]:
        indexes = place.connect()
        yield indexes
        indexes.close()

    # Searching

    @pytest.mark.parametrize("kept", ["whole", "in cells"])
    def test_the_best_rows_come_in_order_with_their_inner_products(
        self, indexes: VectorIndexes, kept: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if kept == "in cells":
            monkeypatch.setattr(base, "FLAT_ROWS", 100)
        index = indexes.build(NAME, VECTORS, no_progress)
        tolerance = 1e-5 if kept == "whole" else 0.01
        for question in random_vectors(20, seed=4):
            exact = VECTORS @ question
            for count in (1, 10, len(VECTORS), 4_096):
                scores, rows = index.search(question, count)
                assert len(rows) == len(set(rows.tolist())) == min(count, len(VECTORS))
                assert (scores.dtype, rows.dtype) == (np.float32, np.int64)
                assert np.all(np.diff(scores) <= 1e-6)
                assert np.allclose(scores, exact[rows], atol=tolerance)
                assert np.allclose(scores, np.sort(exact)[::-1][:count], atol=tolerance)

    def test_no_rows_give_nothing(self, indexes: VectorIndexes) -> None:
        index = indexes.build(NAME, VECTORS[:0], no_progress)
        scores, rows = index.search(VECTORS[0], 10)
        assert (len(scores), len(rows)) == (0, 0)
        assert len(indexes.open(NAME, (0, DIMENSIONS)).search(VECTORS[0], 10)[1]) == 0

    def test_one_row_is_found(self, indexes: VectorIndexes) -> None:
        scores, rows = indexes.build(NAME, VECTORS[:1], no_progress).search(-VECTORS[0], 10)
        assert (scores.tolist(), rows.tolist()) == ([pytest.approx(-1)], [0])

    def test_rows_that_are_the_same_are_all_found(self, indexes: VectorIndexes) -> None:
        vectors = np.vstack([VECTORS[:1]] * 5 + [VECTORS[1:50]])
        scores, rows = indexes.build(NAME, vectors, no_progress).search(VECTORS[0], 5)
        assert sorted(rows.tolist()) == [0, 1, 2, 3, 4]
        assert np.allclose(scores, 1, atol=1e-5)

    def test_a_vector_of_another_length_is_refused(self, indexes: VectorIndexes) -> None:
        index = indexes.build(NAME, VECTORS[:10], no_progress)
        for wrong in (VECTORS[0][:-1], np.ones(DIMENSIONS + 1, dtype=np.float32), VECTORS[:1]):
            with pytest.raises(ValueError, match="cannot be compared"):
                index.search(wrong, 5)

    def test_many_threads_get_their_own_answers(self, indexes: VectorIndexes) -> None:
        index = indexes.build(NAME, VECTORS, no_progress)
        with ThreadPoolExecutor(16) as threads:
            found = list(threads.map(lambda vector: int(index.search(vector, 3)[1][0]), VECTORS))
        assert found == list(range(len(VECTORS)))

    # Keeping

    def test_what_was_built_is_there_for_others(self, place: Place, indexes: VectorIndexes) -> None:
        built = indexes.build(NAME, VECTORS, no_progress)
        other = place.connect()
        for before, after in zip(
            built.search(VECTORS[5], 20), other.open(NAME, VECTORS.shape).search(VECTORS[5], 20), strict=True
        ):
            assert np.array_equal(before, after)
        other.close()

    def test_what_is_not_there_is_missing(self, indexes: VectorIndexes) -> None:
        with pytest.raises(IndexMissing):
            indexes.open(NAME, VECTORS.shape)
        indexes.build(OTHER, VECTORS[:10], no_progress)
        with pytest.raises(IndexMissing):
            indexes.open(NAME, (10, DIMENSIONS))

    @pytest.mark.parametrize("shape", [(9, DIMENSIONS), (10, DIMENSIONS + 1)])
    def test_other_rows_than_expected_are_missing_and_can_be_replaced(
        self, place: Place, indexes: VectorIndexes, shape: tuple[int, int]
    ) -> None:
        indexes.build(NAME, VECTORS[:10], no_progress)
        with pytest.raises(IndexMissing):
            indexes.open(NAME, shape)
        wanted = to_unit(np.ones(shape, dtype=np.float32))
        assert len(indexes.build(NAME, wanted, no_progress).search(wanted[0], 99)[1]) == shape[0]
        assert len(indexes.open(NAME, shape).search(wanted[0], 99)[1]) == shape[0]

    def test_several_are_kept_side_by_side(self, indexes: VectorIndexes) -> None:
        first, second = indexes.build(NAME, VECTORS[:10], no_progress), indexes.build(OTHER, VECTORS[10:], no_progress)
        assert first.search(VECTORS[3], 1)[1].tolist() == [3]
        assert second.search(VECTORS[13], 1)[1].tolist() == [3]

    def test_two_that_build_the_same_at_once_keep_one(self, place: Place) -> None:
        clients = [place.connect() for _ in range(2)]
        with ThreadPoolExecutor(2) as threads:
            built = list(threads.map(lambda client: client.build(NAME, VECTORS, no_progress), clients))
        assert [index.search(VECTORS[7], 1)[1].tolist() for index in built] == [[7], [7]]
        assert place.names() == [NAME]
        for client in clients:
            client.close()

    @pytest.mark.parametrize("moment", ["at once", "in the middle"])
    def test_a_kill_while_building_leaves_nothing_that_is_taken_for_whole(
        self, place: Place, indexes: VectorIndexes, moment: str, tmp_path: Path
    ) -> None:
        late = moment == "in the middle"
        killed = (
            f"import os, signal, numpy as np\n{place.code}\n"
            f"import {type(indexes).__module__} as module, knowledge.index.dense as dense\n"
            "module.ADDED_ROWS, write = 100, dense.faiss.write_index\n"
            "def die(now=True): now and os.kill(os.getpid(), signal.SIGKILL)\n"
            f"dense.faiss.write_index = lambda *file: ({late} and write(*file), die())\n"
            f"vectors = np.eye({DIMENSIONS}, dtype=np.float32)[np.arange(300) % {DIMENSIONS}]\n"
            f"place.build({NAME!r}, vectors, lambda done, _: die(done >= ({late} and 200)))\n"
        )
        process = subprocess.run([sys.executable, "-c", killed], cwd=ROOT, timeout=100, check=False)
        assert process.returncode == -9
        with pytest.raises(IndexMissing):
            indexes.open(NAME, VECTORS.shape)
        assert indexes.build(NAME, VECTORS, no_progress).search(VECTORS[7], 1)[1].tolist() == [7]
        assert indexes.open(NAME, VECTORS.shape).search(VECTORS[7], 1)[1].tolist() == [7]

    def test_it_says_in_a_line_what_is_there(self, indexes: VectorIndexes) -> None:
        assert "\n" not in indexes.check()
        indexes.build(NAME, VECTORS[:2], no_progress)
        assert "\n" not in indexes.check()


class SharedIndexContract(VectorIndexContract):
    """What those that several machines share have to keep to as well."""

    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base, "BREAK_SECONDS", 0.2)

    def test_progress_counts_the_rows(self, indexes: VectorIndexes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(f"{type(indexes).__module__}.ADDED_ROWS", 100)
        seen: list[tuple[int, int]] = []
        indexes.build(NAME, VECTORS[:250], lambda done, total: seen.append((done, total)))
        assert seen == [(100, 250), (200, 250), (250, 250)]

    def test_a_second_one_finds_it_whole_and_fills_nothing(self, place: Place, indexes: VectorIndexes) -> None:
        indexes.build(NAME, VECTORS, no_progress)
        other = place.connect()
        seen: list[int] = []
        assert other.build(NAME, VECTORS, lambda done, _: seen.append(done)).search(VECTORS[4], 1)[1].tolist() == [4]
        assert (seen, place.names()) == ([], [NAME])
        other.close()

    def test_old_ones_are_removed_and_those_in_use_never(
        self, place: Place, indexes: VectorIndexes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = [str(number) * 32 for number in range(4)]
        for name in names:
            indexes.build(name, VECTORS[:5], no_progress)
        indexes.remove_old(keep=1)
        assert sorted(place.names()) == names  # all were in use a moment ago
        monkeypatch.setattr(base, "UNUSED_SECONDS", 1)
        time.sleep(2.1)  # times are kept in whole seconds by one of them
        indexes.open(names[1], (5, DIMENSIONS))
        indexes.open(names[3], (5, DIMENSIONS))
        indexes.remove_old(keep=1)
        assert sorted(place.names()) == [names[1], names[3]]
        with pytest.raises(IndexMissing):
            indexes.open(names[0], (5, DIMENSIONS))
        indexes.remove_old(keep=0)
        assert sorted(place.names()) == [names[1], names[3]]

    def test_removing_where_there_is_nothing_does_nothing(self, indexes: VectorIndexes) -> None:
        indexes.remove_old(keep=0)

    def test_a_failure_while_building_leaves_nothing(self, place: Place, indexes: VectorIndexes) -> None:
        def stop(_done: int, _total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            indexes.build(NAME, VECTORS, stop)
        assert place.names() == []

    def test_while_it_is_away_it_says_so_and_then_it_is_back(self, place: Place, indexes: VectorIndexes) -> None:
        assert place.go_away
        assert place.come_back
        index = indexes.build(NAME, VECTORS, no_progress)
        place.go_away()
        away: list[Callable[[], object]] = [
            lambda: index.search(VECTORS[0], 5),
            lambda: index.search(VECTORS[0], 5),
            lambda: indexes.open(NAME, VECTORS.shape),
            lambda: indexes.build(OTHER, VECTORS, no_progress),
            lambda: indexes.remove_old(keep=0),
            indexes.check,
        ]
        for ask in away:
            with pytest.raises(IndexUnavailable) as told:
                ask()
            assert not isinstance(told.value, IndexMissing)
            assert "does not answer: " in str(told.value)
            assert "\n" not in str(told.value)
            assert "<" not in str(told.value)
        place.come_back()
        reopened = self.soon_open(indexes)
        assert reopened.search(VECTORS[8], 1)[1].tolist() == [8]
        assert index.search(VECTORS[9], 1)[1].tolist() == [9]

    @staticmethod
    def soon_open(indexes: VectorIndexes) -> VectorIndex:
        """Open what has just come back."""
        while True:  # the test's own limit ends it
            with contextlib.suppress(IndexUnavailable):
                return indexes.open(NAME, VECTORS.shape)
            time.sleep(0.1)
