"""The cross-encoder reranker, on a tiny model that is made here."""

from __future__ import annotations

from pathlib import Path

import pytest
from sentence_transformers import CrossEncoder
from transformers import BertConfig, BertForSequenceClassification

from knowledge.errors import ModelUnavailable
from knowledge.reranking.cross_encoder import CrossEncoderReranker
from tests.extras.test_sentence_transformers import carried_model
from tests.knowledge.reranking.contract import HOURS, RETURNS, RerankerContract


def save_tiny(folder: Path, labels: int = 1) -> str:
    """Save a cross-encoder of one small layer, with the vocabulary of MiniLM."""
    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, num_labels=labels,
        initializer_range=0.5,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).write_bytes((carried_model() / name).read_bytes())
    return str(folder)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the folder of a tiny model."""
    return save_tiny(tmp_path_factory.mktemp("tiny"))


class TestCrossEncoderReranker(RerankerContract):
    """The contract, on the tiny model."""

    @pytest.fixture
    def reranker(self, tiny: str) -> CrossEncoderReranker:
        """Give the reranker."""
        return CrossEncoderReranker(tiny, device="cpu")


def test_scores_are_the_logits_before_the_sigmoid(tiny: str) -> None:
    reranker = CrossEncoderReranker(tiny, device="cpu")
    pairs = [("opening hours", f"{entry.question}\n{entry.answer}") for entry in (RETURNS, HOURS)]
    shares = CrossEncoder(tiny, device="cpu").predict(pairs, show_progress_bar=False)
    logits = reranker.scores("opening hours", [RETURNS, HOURS])
    assert [1 / (1 + 2.718281828**-logit) for logit in logits] == pytest.approx([float(s) for s in shares], abs=1e-4)


def test_a_model_with_several_outputs_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="3 outputs"):
        CrossEncoderReranker(save_tiny(tmp_path, labels=3), device="cpu").warm_up()


def test_a_model_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cannot load"):
        CrossEncoderReranker(str(tmp_path / "nothing")).warm_up()
