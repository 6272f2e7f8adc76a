"""Up to where torch is needed; the training itself: tests/extras."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.bot.cli.conftest import Run

EXAMPLE = str(Path(__file__).parents[3] / "examples/shop-zh/faq.csv")


def test_without_the_extra_it_says_what_to_install(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setenv("FRONTDESK_MODELS__EMBEDDING", f"sentence-transformers:{tmp_path}")
    result = frontdesk("train-embedder", EXAMPLE)
    assert (result.status, result.err.count("error:")) == (1, 1)
    assert "pip install 'frontdesk-bot[sentence-transformers]'" in result.err


def test_a_model_that_is_not_here_is_said(frontdesk: Run) -> None:
    result = frontdesk("train-embedder", EXAMPLE)
    assert result.status == 1
    assert "absent.gguf" in result.err


def test_a_model_that_runs_elsewhere_cannot_be_tuned(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "knowledge.tuning.fine_tune", SimpleNamespace(silence=lambda: None))
    monkeypatch.setattr("knowledge.embedding.remote.RemoteEmbedder.warm_up", lambda _self: None)
    monkeypatch.setenv("FRONTDESK_MODELS__EMBEDDING", "openai:text-embedding-3-small")
    monkeypatch.setenv("FRONTDESK_MODELS__EMBEDDING_BASE_URL", "http://localhost:1/v1")
    result = frontdesk("train-embedder", EXAMPLE)
    assert result.status == 1
    assert "text-embedding-3-small runs elsewhere and cannot be tuned" in result.err


def test_too_few_variants_are_said(frontdesk: Run) -> None:
    Path("faq.csv").write_text("question,answer\nHow do I return it?,By post.\n")
    result = frontdesk("train-embedder", "faq.csv")
    assert result.status == 1
    assert "more ways of asking" in result.err


def test_without_entries_it_says_what_to_do(frontdesk: Run) -> None:
    result = frontdesk("train-embedder")
    assert result.status == 1
    assert "frontdesk faq import" in result.err


def test_a_folder_of_other_things_is_not_replaced(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_MODELS__EMBEDDING", "sentence-transformers:some/model")
    Path("keep").mkdir()
    Path("keep/notes.txt").write_text("mine")
    result = frontdesk("train-embedder", EXAMPLE, "--output", "keep")
    assert result.status == 1
    assert "give another --output" in result.err
    assert Path("keep/notes.txt").read_text() == "mine"
