"""llama.cpp's own quantiser, on the smallest real model."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from knowledge.errors import ModelError, NotEnoughSpace
from knowledge.llama import LlamaModel
from knowledge.weights import quantising
from knowledge.weights.library import ModelLibrary, Weights, own_record
from knowledge.weights.quantising import faster, requantise
from tests.conftest import MODELS

TINY = "smollm2-135m-instruct-q4_1"


@pytest.fixture(scope="module")
def tiny() -> Weights:
    return ModelLibrary(MODELS).pull(TINY)


def test_a_model_is_written_in_eight_bits_and_loads(tiny: Weights, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    steps: list[tuple[int, int]] = []
    made = requantise(tiny, "q8_0", folder, progress=lambda _label, done, total: steps.append((done, total)))
    assert made.record.template == tiny.record.template
    assert made.record.size == made.path.stat().st_size > tiny.record.size
    assert steps[-1] == (len(steps), len(steps))
    assert [path.name for path in folder.iterdir()] == [f"{TINY}-as-q8_0.gguf"]
    model = LlamaModel(made.path)
    assert model.vocabulary_size > 40_000
    model.close()


def test_what_is_there_already_is_not_written_again(tiny: Weights, tmp_path: Path) -> None:
    there = tmp_path / f"{TINY}-as-q8_0.gguf"
    there.write_bytes(b"GGUF")
    assert requantise(tiny, "q8_0", tmp_path).path == there
    assert there.read_bytes() == b"GGUF"
    os.utime(there, (0, 0))  # of an older file of that name
    requantise(tiny, "q8_0", tmp_path)
    assert there.stat().st_size > tiny.path.stat().st_size


@pytest.fixture
def coarse(tiny: Weights, tmp_path: Path) -> Weights:
    """Return a model that is called Q4_K and is of other types, none of which multiplies slowly."""
    path = tmp_path / "mine-Q4_K_M.gguf"
    path.symlink_to(tiny.path)
    return Weights(replace(tiny.record, name="mine-q4_k_m"), path)


def test_what_has_nothing_to_gain_is_not_made_faster(coarse: Weights, tiny: Weights, tmp_path: Path) -> None:
    assert faster(tiny, tmp_path) is tiny
    assert faster(coarse, tmp_path) is coarse


def test_only_what_multiplies_slowly_is_of_another_type_then(
    coarse: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requantise(coarse, "q4_k_m", tmp_path / "five")  # so narrow a model's Q4_K_M is Q5_0 for the most part
    five = Weights(coarse.record, next((tmp_path / "five").iterdir()))
    made = faster(five, tmp_path)
    assert made.path.name == "mine-q4_k_m-as-fast.gguf"
    types, given = quantising._types(made.path), quantising._types(five.path)
    changed = {name for name in given if types[name] != given[name]}
    assert {name.split(".")[-2] for name in changed} == {"attn_q", "attn_k", "attn_output", "ffn_gate", "ffn_up"}
    assert {types[name] for name in changed} == {"iq4_nl"}
    monkeypatch.setattr("knowledge.weights.quantising.is_slow_build", lambda: True)
    assert faster(five, tmp_path) is five


def test_an_unknown_type_is_answered_with_the_known_ones(tiny: Weights, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="q5_k_m"):
        requantise(tiny, "q9", tmp_path)


def test_a_file_of_no_use_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    source, folder = tmp_path / "mine.gguf", tmp_path / "made"
    source.write_bytes(b"not a model at all")
    with pytest.raises(ModelError, match=r"cannot quantise mine\.gguf to q4_0"):
        requantise(Weights(own_record(source, "chat"), source), "q4_0", folder)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_said_before_anything_is_written(
    tiny: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=10))
    with pytest.raises(NotEnoughSpace):
        requantise(tiny, "q8_0", tmp_path)
    assert list(tmp_path.glob("*.partial")) == []
