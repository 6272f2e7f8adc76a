"""BM25 over Chinese and English tokens: finds the words that vectors blur, such as names and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bm25s
import numpy as np

from knowledge.embedding.base import Vectors
from knowledge.text import tokenise


class LexicalIndex:
    """BM25 scores of all documents for a question."""

    def __init__(self, documents: Sequence[str]) -> None:
        """Index documents."""
        self._documents = documents
        self._index = bm25s.BM25()
        self._index.index([tokenise(document) or [""] for document in documents], show_progress=False)
        self._known = self._index.vocab_dict

    def scores(self, question: str) -> Vectors:
        """Return one score a document, 0 where no word is shared."""
        words = [word for word in tokenise(question) if word in self._known]
        if not words:
            return np.zeros(len(self._documents), dtype=np.float32)
        return np.asarray(self._index.get_scores(words), dtype=np.float32)

    def coverage(self, question: str, document: int) -> float:
        """Return how much of a question a document holds: the share of its words, each weighted by its rarity."""
        words = set(tokenise(question))
        weights = {word: math.log(1 + len(self._documents) / (1 + self._holders(word))) for word in words}
        there = set(tokenise(self._documents[document]))
        held = sum(weight for word, weight in weights.items() if word in there)
        return held / sum(weights.values()) if weights else 0.0

    @property
    def words(self) -> frozenset[str]:
        """Every word of the documents, as tokenised."""
        return frozenset(self._known)

    def _holders(self, word: str) -> int:
        """Count the documents that hold a word."""
        if word not in self._known:
            return 0
        begins, number = self._index.scores["indptr"], self._known[word]
        return int(begins[number + 1] - begins[number])
