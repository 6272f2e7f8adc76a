"""What stands in when there is no embedding model: every vector is zero, so that words alone decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.embedding.base import Vectors


class AbsentEmbedder:
    """Knows nothing; searching then rests on BM25."""

    name = "none (words only)"
    fingerprint = "absent"

    def warm_up(self) -> None:
        """Do nothing."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return zeros."""
        return np.zeros((len(texts), 1), dtype=np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return zeros."""
        return self.embed_queries(texts)
