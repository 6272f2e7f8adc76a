"""BM25 over Chinese and English tokens: finds the words that vectors blur, such as names and numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import bm25s
import numpy as np

from knowledge.embedding.base import Vectors
from knowledge.text import tokenise


class LexicalIndex:
    """BM25 scores of all documents for a question."""

    def __init__(self, documents: Sequence[str]) -> None:
        """Index documents."""
        tokens = [tokenise(document) or [""] for document in documents]
        self._count = len(documents)
        self._index = bm25s.BM25()
        self._index.index(tokens, show_progress=False)
        self._known = set(self._index.vocab_dict)
        self._words = [frozenset(document) for document in tokens]
        self._holders = Counter(word for words in self._words for word in words)

    def scores(self, question: str) -> Vectors:
        """Return one score a document, 0 where no word is shared."""
        words = [word for word in tokenise(question) if word in self._known]
        if not words:
            return np.zeros(self._count, dtype=np.float32)
        return np.asarray(self._index.get_scores(words), dtype=np.float32)

    def coverage(self, question: str, document: int) -> float:
        """Return how much of a question a document holds: the share of its words, each weighted by its rarity."""
        words = set(tokenise(question))
        weights = {word: math.log(1 + self._count / (1 + self._holders[word])) for word in words}
        held = sum(weight for word, weight in weights.items() if word in self._words[document])
        return held / sum(weights.values()) if weights else 0.0
