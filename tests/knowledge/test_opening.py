from __future__ import annotations

from pathlib import Path

import pytest

import knowledge.calibration.fitting as fitting
from knowledge import opening
from knowledge.confidence import Calibration, calibration_for
from knowledge.entries import Entry
from knowledge.index.snapshot import Located
from knowledge.opening import open_searcher
from tests.knowledge.calibration.test_fitting import THINGS, variants_of
from tests.knowledge.fakes import HashEmbedder


@pytest.fixture
def twelve(monkeypatch: pytest.MonkeyPatch) -> list[Located]:
    """Give entries with enough variants to be calibrated on."""
    monkeypatch.setattr(fitting, "MIN_QUESTIONS", 30)
    return [
        Located(
            "shop", Entry(key=thing, question=f"{thing}？", variants=variants_of(thing), answer=f"{thing}请看这里。")
        )
        for thing in THINGS
    ]


def test_the_calibration_is_made_once(
    tmp_path: Path, twelve: list[Located], hash_embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_searcher(tmp_path, twelve, hash_embedder).calibration
    monkeypatch.setattr(opening, "calibrate", None)
    assert open_searcher(tmp_path, twelve, hash_embedder).calibration == first
    assert len(first.curve) == 10
    assert first.weights != calibration_for(hash_embedder.name).weights


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"weights": [1], "bias": "x", "curve": []}'])
def test_a_damaged_calibration_is_made_again(
    tmp_path: Path, twelve: list[Located], hash_embedder: HashEmbedder, content: str
) -> None:
    first = open_searcher(tmp_path, twelve, hash_embedder).calibration
    [path] = tmp_path.glob("*/calibration.json")
    path.write_text(content)
    assert open_searcher(tmp_path, twelve, hash_embedder).calibration == first


def test_another_release_has_a_calibration_of_its_own(
    tmp_path: Path, twelve: list[Located], hash_embedder: HashEmbedder
) -> None:
    whole = open_searcher(tmp_path, twelve, hash_embedder).calibration
    assert open_searcher(tmp_path, twelve[1:], hash_embedder).calibration != whole


def test_few_variants_have_the_shipped_one_and_no_curve(
    tmp_path: Path, shop: list[Located], hash_embedder: HashEmbedder
) -> None:
    calibration: Calibration = open_searcher(tmp_path, shop, hash_embedder).calibration
    assert (calibration, calibration.curve) == (calibration_for(hash_embedder.name), ())
