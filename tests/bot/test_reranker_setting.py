"""From the setting to the search; a real reranker: tests/extras."""

from __future__ import annotations

import sys

import pytest

from bot.assembly import make_reranker, warm_reranking
from bot.errors import SettingsError
from bot.settings import Settings, load_settings


def settings_with(reranker: str) -> Settings:
    return load_settings(models={"reranker": reranker})


def test_there_is_none_by_default() -> None:
    assert make_reranker(load_settings(), None) is None


def test_a_cross_encoder_is_named() -> None:
    reranker = make_reranker(settings_with("sentence-transformers:BAAI/bge-reranker-base"), None)
    assert reranker is not None
    assert reranker.name == "BAAI/bge-reranker-base"


@pytest.mark.parametrize("name", ["bge-reranker-base", "sentence-transformers:", "openai:rerank"])
def test_another_kind_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"models\.reranker"):
        settings_with(name)


async def test_without_a_local_model_it_cannot_read() -> None:
    problems: list[str] = []
    assert await warm_reranking(settings_with("local"), None, problems) is None
    assert "no local chat model" in problems[0]


async def test_one_that_cannot_be_had_is_a_problem_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    problems: list[str] = []
    assert await warm_reranking(settings_with("sentence-transformers:some/model"), None, problems) is None
    assert len(problems) == 1
    assert "pip install" in problems[0]
