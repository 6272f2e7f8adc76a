from __future__ import annotations

import sys

import pytest

from knowledge.embedding.sentence_transformer import SentenceTransformerEmbedder
from knowledge.errors import ModelUnavailable


def test_without_the_extra_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'frontdesk-bot\[sentence-transformers\]'"):
        SentenceTransformerEmbedder("any").embed_queries(["退货"])


def test_constructing_one_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert SentenceTransformerEmbedder("some/model").fingerprint == "sentence-transformers:some/model"
