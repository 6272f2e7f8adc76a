"""An embedder that remembers the vectors of the questions it saw last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from knowledge.embedding.base import Embedder, Vectors

REMEMBERED = 2_000
"""Questions: 6 MB at 768 dimensions."""


class RecentQueries:
    """Embeds as another does; a question that is asked again, or a greeting that everybody writes, only once."""

    def __init__(self, embedder: Embedder, size: int = REMEMBERED) -> None:
        """Remember nothing yet."""
        self._embedder, self._size = embedder, size
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """The other's: the vectors are the same."""
        return self._embedder.fingerprint

    @property
    def name(self) -> str:
        """The other's."""
        return self._embedder.name

    def warm_up(self) -> None:
        """Load the other."""
        self._embedder.warm_up()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions, those that are not remembered together."""
        if not texts:
            return self._embedder.embed_queries(texts)
        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            known.update(zip(new, self._embedder.embed_queries(new), strict=True))
        with self._lock:
            self._remember(known)
        return np.stack([known[text] for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched, and remember nothing of it."""
        return self._embedder.embed_passages(texts)

    def forget(self) -> None:
        """Forget which questions were asked."""
        with self._lock:
            self._vectors.clear()

    def _remember(self, vectors: dict[str, Vectors]) -> None:
        for text, vector in vectors.items():
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
        while len(self._vectors) > self._size:
            self._vectors.popitem(last=False)
