"""Without the extra; with it: tests/extras."""

from __future__ import annotations

import sys

import pytest

from knowledge.errors import ModelUnavailable
from knowledge.reranking.cross_encoder import CrossEncoderReranker


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'frontdesk-bot\[sentence-transformers\]'"):
        CrossEncoderReranker("BAAI/bge-reranker-base").warm_up()
