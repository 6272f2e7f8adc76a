"""Asking a reranker without depending on it: one that fails or is slow leaves the order as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow

import numpy as np

from knowledge.embedding.base import Vectors
from knowledge.entries import Entry
from knowledge.errors import ModelError
from knowledge.reranking.base import Reranker

PATIENCE_SECONDS = 1.0
"""For one question, waiting behind others included."""


class PatientReranking:
    """Asks a reranker in a thread of its own, one question after the other."""

    def __init__(
        self,
        reranker: Reranker,
        warn: Callable[[str], None] = lambda _sentence: None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Remember whom to ask; `warn` is told why there was no answer."""
        self._reranker, self._warn, self._patience = reranker, warn, patience
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reranker")

    @property
    def count(self) -> int:
        """How many entries are read at most."""
        return self._reranker.count

    def bonus(self, question: str, entries: Sequence[Entry]) -> Vectors | None:
        """Return what each entry's fused score gains, on average nothing; None if there was no answer in time."""
        asked = self._thread.submit(self._reranker.scores, question, entries)
        try:
            scores = np.array(asked.result(self._patience), dtype=np.float32)
        except TooSlow:
            asked.cancel()
            self._warn(f"{self._reranker.name} took more than {self._patience} s")
            return None
        except ModelError as error:
            self._warn(str(error))
            return None
        if scores.shape != (len(entries),) or not np.isfinite(scores).all():
            self._warn(f"{self._reranker.name} did not answer with a number an entry")
            return None
        bonus: Vectors = np.float32(self._reranker.weight) * (scores - scores.mean())
        return bonus
