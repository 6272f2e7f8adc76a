from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from knowledge.embedding import int8
from knowledge.embedding.base import Embedder
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.embedding.int8 import Int8Embedder, can_run
from knowledge.errors import ModelUnavailable
from knowledge.weights.gemma_gguf import convert
from knowledge.weights.library import Weights, own_record
from tests.knowledge.embedding.contract import EmbedderContract
from tests.knowledge.weights import gemma

pytestmark = pytest.mark.xdist_group("e5")

TEXTS = ["怎么退货？", "How do I return an item?", "我想把昨天买的鞋换成大一码，需要自己付邮费吗", "Refund", "7"]


@pytest.fixture(scope="module")
def embedder(e5_weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Int8Embedder:
    return Int8Embedder(e5_weights, tmp_path_factory.mktemp("models"), threads=2)


class TestInt8Embedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, embedder: Int8Embedder) -> Embedder:
        return embedder


def test_its_vectors_are_nearly_those_of_the_file(embedder: Int8Embedder, e5: GgufEmbedder) -> None:
    for method in ("embed_queries", "embed_passages"):
        own, given = getattr(embedder, method)(TEXTS), getattr(e5, method)(TEXTS)
        assert (own * given).sum(axis=1).min() > 0.997


def test_a_text_has_exactly_the_same_vector_in_any_company(embedder: Int8Embedder) -> None:
    together, alone = embedder.embed_queries(TEXTS), np.vstack([embedder.embed_queries([text]) for text in TEXTS])
    assert np.allclose(together, alone, atol=1e-5)


@pytest.fixture(scope="module")
def tiny_gemma(tmp_path_factory: pytest.TempPathFactory) -> Int8Embedder:
    folder = tmp_path_factory.mktemp("gemma")
    (folder / "model.zip").write_bytes(gemma.zipped())
    convert(folder / "model.zip", folder / "gemma.gguf")
    return Int8Embedder(Weights(own_record(folder / "gemma.gguf", "embedding"), folder / "gemma.gguf"), folder)


def test_the_vectors_of_an_embedding_gemma_are_nearly_those_of_its_own_library(tiny_gemma: Int8Embedder) -> None:
    found = tiny_gemma.embed_passages(gemma.TEXTS)
    assert found.shape == (len(gemma.TEXTS), gemma.WIDTH)
    np.testing.assert_allclose(found[:, :8], gemma.VECTORS, atol=0.02)


def test_its_texts_too_have_the_same_vectors_in_any_company(tiny_gemma: Int8Embedder) -> None:
    alone = np.vstack([tiny_gemma.embed_passages([text]) for text in gemma.TEXTS])
    assert np.allclose(tiny_gemma.embed_passages(gemma.TEXTS), alone, atol=1e-5)


def test_what_is_longer_than_the_model_reads_is_cut(embedder: Int8Embedder) -> None:
    long = "我想知道怎么退货以及运费由谁承担。" * 100
    assert np.linalg.norm(embedder.embed_passages([long])[0]) == pytest.approx(1, abs=1e-3)


def test_its_name_is_the_models_and_its_vectors_are_not_compared_with_the_files(
    embedder: Int8Embedder, e5: GgufEmbedder
) -> None:
    assert embedder.name == e5.name
    assert embedder.fingerprint == f"int8-1:{e5.fingerprint}"


def test_the_graph_is_written_once_for_each_file_and_again_if_it_was_damaged(
    embedder: Int8Embedder, e5_weights: Weights, tmp_path: Path
) -> None:
    damaged = Int8Embedder(e5_weights, tmp_path)
    there = tmp_path / f"{e5_weights.path.stem}-{embedder.identity[:8]}-as-int8-1.onnx"
    there.write_bytes(b"nothing of use")
    assert damaged.write() == there
    assert np.array_equal(damaged.embed_queries(TEXTS), embedder.embed_queries(TEXTS))
    assert there.read_bytes() == embedder.write().read_bytes()


def test_the_graph_is_written_again_if_its_weights_are_gone(e5_weights: Weights, tmp_path: Path) -> None:
    Int8Embedder(e5_weights, tmp_path).write()
    [weights] = tmp_path.glob("*.weights")
    size = weights.stat().st_size
    weights.unlink()
    Int8Embedder(e5_weights, tmp_path).warm_up()
    assert weights.stat().st_size == size


def test_a_graph_that_does_not_load_says_what_to_do(
    e5_weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "write_int8", lambda _source, target: target.write_bytes(b"nothing of use"))
    with pytest.raises(ModelUnavailable, match=r"does not load in eight bits; set models\.fast_weights = false"):
        Int8Embedder(e5_weights, tmp_path).warm_up()


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(
        ModelUnavailable, match=r"mine cannot be written in eight bits: mine\.gguf is of another kind: llama"
    ):
        Int8Embedder(Weights(own_record(path, "embedding"), path), tmp_path / "models").write()
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize("runs", [True, False])
def test_it_runs_where_the_processor_multiplies_bytes(
    e5_weights: Weights, monkeypatch: pytest.MonkeyPatch, *, runs: bool
) -> None:
    monkeypatch.setattr(int8, "has_vnni", lambda: runs)
    assert can_run(e5_weights) is runs
    assert not can_run(Weights(replace(e5_weights.record, pooling="cls"), e5_weights.path))


def test_it_does_not_run_without_its_extra(e5_weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert not can_run(e5_weights)


def test_a_batch_that_fails_is_told_to_whoever_asked(e5_weights: Weights, embedder: Int8Embedder) -> None:
    class Broken:
        def run(self, *_: object) -> None:
            raise RuntimeError("no memory")

    text = int8.Text([1, 2])
    int8._Context(Broken(), e5_weights.record.name, room=4).embed([text])
    with pytest.raises(ModelUnavailable, match="failed to embed a text: no memory"):
        text.vector.result()
