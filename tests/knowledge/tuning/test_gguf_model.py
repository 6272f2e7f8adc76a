from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.embedding.gguf import GgufEmbedder
from knowledge.tuning.gguf_model import read_gguf, write_gguf
from knowledge.weights.library import Weights, own_record
from tests.knowledge.tuning.tiny import tiny_gguf
from tests.knowledge.weights.test_e5_gguf import PARTS

TEXTS = ["你", "，", "s"]
LAYER = "encoder.layer.0.output.dense.weight"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a model of one layer as llama.cpp runs it."""
    return tiny_gguf(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def weights(tiny: Path) -> dict[str, NDArray[np.float32]]:
    """Give the tiny model's tensors."""
    return read_gguf(gguf.GGUFReader(tiny))


def embedder_of(path: Path) -> GgufEmbedder:
    return GgufEmbedder(Weights(own_record(path, "embedding"), path), threads=1)


def cosines(one: GgufEmbedder, other: GgufEmbedder) -> NDArray[np.float32]:
    return (one.embed_queries(TEXTS) * other.embed_queries(TEXTS)).sum(axis=1)


def test_tensors_have_their_names_and_shapes_in_transformers(weights: dict[str, NDArray[np.float32]]) -> None:
    assert weights[LAYER].shape == (32, 64)
    assert weights["embeddings.word_embeddings.weight"].shape == (9, 32)
    assert weights["encoder.layer.0.attention.self.query.bias"].shape == (32,)
    assert len(weights) == len(PARTS)


def test_a_model_that_was_not_trained_comes_back_as_it_was(
    tiny: Path, weights: dict[str, NDArray[np.float32]], tmp_path: Path
) -> None:
    write_gguf(weights, tiny, tmp_path / "same.gguf", "", "")
    assert cosines(embedder_of(tmp_path / "same.gguf"), embedder_of(tiny)).min() > 0.99
    assert [path.name for path in tmp_path.glob("*.*")] == ["same.gguf"]


def test_what_was_trained_arrives(tiny: Path, weights: dict[str, NDArray[np.float32]], tmp_path: Path) -> None:
    weights[LAYER] = weights[LAYER][::-1]
    write_gguf(weights, tiny, tmp_path / "other.gguf", "", "")
    assert cosines(embedder_of(tmp_path / "other.gguf"), embedder_of(tiny)).max() < 0.99
    again = read_gguf(gguf.GGUFReader(tmp_path / "other.gguf"))
    assert np.allclose(again[LAYER], weights[LAYER], atol=0.05)


def test_the_file_brings_its_prefixes(tiny: Path, weights: dict[str, NDArray[np.float32]], tmp_path: Path) -> None:
    write_gguf(weights, tiny, tmp_path / "same.gguf", "s ", "")
    tuned, plain = embedder_of(tmp_path / "same.gguf"), embedder_of(tiny)
    assert (tuned.embed_queries(["，"]) @ plain.embed_queries(["s ，"]).T).min() > 0.99
    assert (tuned.embed_passages(["，"]) @ plain.embed_queries(["，"]).T).min() > 0.99
