from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding.base import Vectors, to_unit
from knowledge.errors import IndexUnavailable
from knowledge.index import classifier
from knowledge.index.classifier import Classifier, Rows, softmax

ENTRIES, LINES, DIMENSIONS = 12, 6, 32


def lines(seed: int, spread: float) -> tuple[Vectors, Rows]:
    """Return lines about their entry's place, spread above all along eight directions that say nothing."""
    random = np.random.default_rng(seed)
    places = np.random.default_rng(0).standard_normal((ENTRIES, DIMENSIONS))
    entries = np.repeat(np.arange(ENTRIES), LINES)
    noise = random.standard_normal((len(entries), DIMENSIONS)) * 0.3
    noise[:, :8] *= spread
    vectors = to_unit((places[entries] + noise).astype(np.float32))
    return vectors, entries


def share_right(scores: list[Vectors], entries: Rows) -> float:
    return float(np.mean([np.argmax(score) == entry for score, entry in zip(scores, entries, strict=True)]))


@pytest.fixture(params=["regression", "means"])
def trained(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Classifier:
    """Give a classifier made in each of the two ways."""
    if request.param == "means":
        monkeypatch.setattr(classifier, "MAX_CELLS", 10)
    return Classifier.train(*lines(1, spread=12), ENTRIES)


def test_it_learns_which_directions_say_nothing(trained: Classifier) -> None:
    vectors, entries = lines(1, spread=12)
    asked, wanted = lines(2, spread=12)
    nearest = [np.bincount(entries, weights=vectors @ vector, minlength=ENTRIES) for vector in asked]
    assert share_right([trained.scores(vector) for vector in asked], wanted) > share_right(nearest, wanted) + 0.1


def test_an_entry_with_more_lines_is_no_likelier() -> None:
    vectors, entries = lines(1, spread=1)
    few = np.flatnonzero((entries != 0) | (np.arange(len(entries)) < 2))
    model = Classifier.train(vectors[few], entries[few], ENTRIES)
    asked, wanted = lines(3, spread=1)
    assert share_right([model.scores(vector) for vector in asked], wanted) == 1.0


@pytest.mark.parametrize("count", [1, 2])
def test_few_entries_are_enough(count: int) -> None:
    vectors = to_unit(np.eye(count, 4, dtype=np.float32))
    model = Classifier.train(vectors, np.arange(count), count)
    assert np.argmax(model.scores(vectors[count - 1])) == count - 1


def test_without_an_embedding_model_all_entries_are_alike() -> None:
    model = Classifier.train(np.zeros((4, 1), dtype=np.float32), np.array([0, 0, 1, 2]), 3)
    assert model.scores(np.zeros(1, dtype=np.float32)).tolist() == [0, 0, 0]


def test_a_saved_classifier_gives_the_same_scores(trained: Classifier, tmp_path: Path) -> None:
    trained.save(tmp_path / "classifier.npy")
    asked, _ = lines(2, spread=1)
    assert np.allclose(
        Classifier.load(tmp_path / "classifier.npy").scores(asked[0]), trained.scores(asked[0]), atol=1e-4
    )


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_damaged_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "classifier.npy").write_bytes(content)
    with pytest.raises(IndexUnavailable, match=r"classifier\.npy is damaged"):
        Classifier.load(tmp_path / "classifier.npy")


def test_shares_add_up_to_one() -> None:
    shares = softmax(np.array([[1_000.0, 0.0], [0.0, 0.0]], dtype=np.float32))
    assert shares.tolist() == [[1, 0], [0.5, 0.5]]
