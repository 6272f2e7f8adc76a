from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding.gguf import GgufEmbedder
from knowledge.llama import LlamaModel
from knowledge.weights.gemma_gguf import convert
from knowledge.weights.library import Weights
from tests.knowledge.weights import gemma
from tests.knowledge.weights.conftest import record


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.zip"
    path.write_bytes(gemma.zipped())
    return path


@pytest.fixture
def converted(source: Path, tmp_path: Path) -> Path:
    target = tmp_path / "model.gguf"
    convert(source, target)
    return target


def test_its_vectors_are_those_of_the_library_that_it_is_published_for(converted: Path) -> None:
    described = record(role="embedding", sha256=None, dimensions=gemma.WIDTH)
    found = GgufEmbedder(Weights(record=described, path=converted), threads=1).embed_passages(gemma.TEXTS)
    assert found.shape == (len(gemma.TEXTS), gemma.WIDTH)
    np.testing.assert_allclose(found[:, :8], gemma.VECTORS, atol=0.01)


@pytest.mark.parametrize("text", gemma.TEXTS)
def test_it_splits_text_as_before(converted: Path, text: str) -> None:
    assert LlamaModel(converted, tokenizer_only=True).tokenise(text, ends=True) == gemma.tokens(text)


def test_what_the_tokenizer_has_no_piece_for_becomes_bytes(converted: Path) -> None:
    found = LlamaModel(converted, tokenizer_only=True).tokenise("é", ends=True)
    assert found == [gemma.BOS, *(len(gemma.SPECIAL) + byte for byte in "é".encode()), gemma.EOS]


def test_the_same_source_gives_the_same_file(converted: Path, source: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.gguf"
    convert(source, again)
    assert again.read_bytes() == converted.read_bytes()


def without(source: Path, name: str, content: bytes | None = None) -> None:
    """Leave a file out of the zipped folder, or put another in its place."""
    with zipfile.ZipFile(source) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    del files[f"model/{name}"]
    if content is not None:
        files[f"model/{name}"] = content
    with zipfile.ZipFile(source, "w") as archive:
        for entry, data in files.items():
            archive.writestr(entry, data)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.model", "3_Dense/model.safetensors"])
def test_a_folder_that_lacks_a_part_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    without(source, name)
    with pytest.raises(ValueError, match="lacks a part"):
        convert(source, tmp_path / "model.gguf")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", gemma.safetensors(gemma.tensors())[:-400]),
        ("model.safetensors", gemma.safetensors(gemma.tensors())[:100]),
        ("model.safetensors", gemma.safetensors({"other.weight": gemma.dense()[0]})),
        ("model.safetensors", gemma.safetensors(gemma.tensors()).replace(b'"F32"', b'"F16"')),
        ("tokenizer.model", gemma.sentencepiece()[:5]),
        ("config.json", b"{}"),
        ("config.json", b"{"),
    ],
)
def test_a_part_that_is_damaged_or_of_another_kind_is_refused(
    source: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    without(source, name, content)
    with pytest.raises(ValueError, match="damaged"):
        convert(source, tmp_path / "model.gguf")


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="damaged"):
        convert(tmp_path / "model.zip", tmp_path / "model.gguf")
