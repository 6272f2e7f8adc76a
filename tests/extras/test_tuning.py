"""Training for real: MiniLM on a small FAQ, and a small model of llama.cpp's there and back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import BoW

from knowledge.embedding.base import Embedder, OnProgress
from knowledge.embedding.sentence_transformer import SentenceTransformerEmbedder
from knowledge.entries import Entry
from knowledge.errors import ModelUnavailable
from knowledge.evaluation.cases import TestCase, Verdict
from knowledge.evaluation.report import Judged
from knowledge.tuning.fine_tune import Recipe, fine_tune
from knowledge.tuning.gguf_model import load_gguf, read_gguf, save_gguf
from knowledge.tuning.lines import divide, to_pairs
from knowledge.tuning.tune import Results, Tuning
from tests.extras.test_sentence_transformers import carried_model
from tests.knowledge.tuning.tiny import tiny_gguf

FRUITS = ["apple", "pear", "plum", "cherry", "grape", "lemon", "melon"]
ACTIONS = ["send back", "pay for", "track"]


def faq() -> list[Entry]:
    """Make 21 entries about the company's own names for things, which no model knows."""
    return [
        Entry(
            key=f"{fruit}-{action}",
            question=f"How do I {action} a {fruit} box?",
            variants=(f"{fruit} {action}", f"want to {action} my {fruit}", f"{action} {fruit} please"),
            answer=f"Under My {fruit.title()}, press {action}.",
            language="en",
        )
        for fruit in FRUITS
        for action in ACTIONS
    ]


@pytest.fixture
def minilm(tmp_path: Path) -> SentenceTransformerEmbedder:
    """Give a MiniLM that may be changed."""
    folder = tmp_path / "minilm"
    shutil.copytree(carried_model(), folder)
    return SentenceTransformerEmbedder(str(folder), device="cpu")


def margin(embedder: SentenceTransformerEmbedder, entries: list[Entry]) -> float:
    """Return how much nearer variants are to their own question than to others, on average."""
    cosines = (
        embedder.embed_queries([entry.variants[0] for entry in entries])
        @ embedder.embed_queries([entry.question for entry in entries]).T
    )
    own = np.diag(cosines)
    return float((own - (cosines.sum(axis=1) - own) / (len(entries) - 1)).mean())


def test_training_draws_variants_to_their_question(minilm: SentenceTransformerEmbedder) -> None:
    entries, steps, scores = faq(), [], []
    before = margin(minilm, entries)
    model = minilm.model
    words = model[0].model.embeddings.word_embeddings.weight.detach().clone()

    def judge(_model: Any) -> float:
        scores.append(len(scores))
        return float(len(scores))

    recipe = Recipe(epochs=2, layers=2)
    fine_tune(model, to_pairs(entries, "", ""), judge, recipe=recipe, on_progress=lambda *done: steps.append(done))
    assert margin(minilm, entries) > before + 0.02
    assert len(scores) == 2
    assert steps[-1][0] == steps[-1][1]
    assert bool((model[0].model.embeddings.word_embeddings.weight == words).all())


def test_the_best_epoch_is_kept(minilm: SentenceTransformerEmbedder) -> None:
    entries, kept = faq(), []

    def judge(model: Any) -> float:
        kept.append(model[0].model.encoder.layer[-1].output.dense.weight.detach().clone())
        return -float(len(kept))

    fine_tune(minilm.model, to_pairs(entries, "", ""), judge, recipe=Recipe(epochs=4, layers=1))
    assert len(kept) == 2, "an epoch that brings nothing ends it"
    assert bool((minilm.model[0].model.encoder.layer[-1].output.dense.weight == kept[0]).all())


def examination(right: Callable[[int], bool]) -> Callable[[Embedder, OnProgress], Results]:
    """Return an examination in which all 30 questions are right, or none, by the number of the examination."""
    asked: list[Embedder] = []

    def examine(embedder: Embedder, _on_progress: OnProgress) -> Results:
        asked.append(embedder)
        found = "a" if right(len(asked)) else "b"
        return {"s": [Judged(Verdict(TestCase("q", ("a",)), (found,), 0.9), "direct")] * 30}

    return examine


@pytest.mark.parametrize("gains", [True, False])
def test_what_is_better_is_saved_and_what_is_not_is_not(
    minilm: SentenceTransformerEmbedder, tmp_path: Path, gains: bool
) -> None:
    output = tmp_path / "out" / "embedder"
    tuning = Tuning(minilm, None, divide(faq(), 0), output, epochs=1, seed=0)
    if gains:  # the one before is replaced
        shutil.copytree(carried_model(), output)
    tuned = tuning.run(examination(lambda time: time == 2 and gains), lambda _label: lambda _done, _total: None)
    assert tuned.setting == (f"sentence-transformers:{output}" if gains else None)
    assert [path.name for path in output.parent.iterdir()] == (["embedder"] if gains else [])
    if gains:
        again = SentenceTransformerEmbedder(str(output), device="cpu")
        assert np.allclose(again.embed_queries(["fig"]), minilm.embed_queries(["fig"]), atol=1e-4)
        assert again.fingerprint != SentenceTransformerEmbedder(str(carried_model())).fingerprint


def test_a_model_of_another_build_is_refused() -> None:
    words = SentenceTransformer(modules=[BoW(["return", "refund"])], device="cpu")
    with pytest.raises(ModelUnavailable, match="built like BERT"):
        fine_tune(words, to_pairs(faq(), "", ""), lambda _model: 0.0)


def test_a_folder_whose_model_becomes_another_has_another_fingerprint(minilm: SentenceTransformerEmbedder) -> None:
    folder = Path(minilm.name)
    before = SentenceTransformerEmbedder(str(folder)).fingerprint
    [weights] = folder.rglob("*.safetensors")
    assert SentenceTransformerEmbedder(str(folder)).fingerprint == before
    weights.write_bytes(weights.read_bytes() + b"\0")
    assert SentenceTransformerEmbedder(str(folder)).fingerprint != before


def test_a_gguf_model_is_trained_and_written_as_one(tmp_path: Path) -> None:
    source, target = tiny_gguf(tmp_path), tmp_path / "tuned.gguf"
    model = load_gguf(source, "s ", "")
    assert model.tokenizer("你，")["input_ids"] == [0, 5, 6, 2]
    assert model.encode(["你", "，"], prompt_name="query").shape == (2, 32)
    pairs = {"questions": [("你", "，"), ("s", "你，"), ("，，", "s，")]}
    best: list[Any] = []

    def judge(_model: Any) -> float:
        best.append({name: values.clone() for name, values in model[0].model.state_dict().items()})
        return -float(len(best))

    fine_tune(model, pairs, judge, recipe=Recipe(epochs=2, layers=1, learning_rate=0.01))
    save_gguf(model, source, target)
    before, after = (read_gguf(gguf.GGUFReader(path)) for path in (source, target))
    trained = best[0]
    for name, values in after.items():
        is_layer = name.startswith("encoder.")
        assert np.allclose(values, before[name]) is not (is_layer and values.ndim == 2)
        assert np.allclose(values, trained[name].numpy(), atol=0.05)
