"""The local model as a reranker: a real one, of 135 million parameters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from bot.models.engine.options import EngineOptions
from bot.models.likelihood import LikelihoodReranker
from bot.models.local import LocalChatModel
from knowledge.reranking.base import Reranker
from knowledge.weights.library import ModelLibrary
from tests.conftest import MODELS
from tests.knowledge.reranking.contract import HOURS, RETURNS, RerankerContract


@pytest.fixture(scope="module")
def local() -> Iterator[LocalChatModel]:
    weights = ModelLibrary(MODELS).pull("smollm2-135m-instruct-q4_1")
    model = LocalChatModel(weights, EngineOptions(threads=1, context_tokens=2_048, patience=600))
    model.warm_up()
    yield model
    asyncio.run(model.close())


class TestLikelihoodReranker(RerankerContract):
    tolerance = 0.5  # steps of another size add up in another order

    @pytest.fixture
    def reranker(self, local: LocalChatModel) -> Reranker:
        return LikelihoodReranker(local, seconds=600)

    def test_the_entry_that_answers_makes_the_question_likelier(self, reranker: Reranker) -> None:
        returns, hours = reranker.scores("How can I return something I bought?", [RETURNS, HOURS])
        assert returns > hours
        returns, hours = reranker.scores("At what time do you open?", [RETURNS, HOURS])
        assert hours > returns
