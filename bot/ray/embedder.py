"""An embedder that any number of replicas run, for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from knowledge.embedding.base import Vectors
from knowledge.errors import ModelUnavailable

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle, DeploymentResponse

BATCH_TEXTS = 64
TRIES = 3
"""Embedding has no effect but its result, so what a lost replica owes is asked of another."""

FEW_TEXTS = 4
FEW_SECONDS = 10.0
"""A customer waits for one or a few texts; whoever asks for more is at work on an index."""

MANY_SECONDS = 300.0
START_SECONDS = 600.0
"""A first replica may have its weights still to load."""


class ReplicatedEmbedder:
    """Sends texts to the replicas, many texts to several at once."""

    def __init__(self, handle: DeploymentHandle[Any]) -> None:
        """Remember whom to ask."""
        self._handle = handle
        self._described: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._describe()[0]

    @property
    def fingerprint(self) -> str:
        """That of the embedder in the replicas."""
        return self._describe()[1]

    def warm_up(self) -> None:
        """Wait for the first replica; raises ModelUnavailable."""
        self._describe()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions."""
        return self._embed("embed_queries", texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self._embed("embed_passages", texts)

    def _describe(self) -> tuple[str, str]:
        if self._described is None:
            self._described = self._result("describe", (), START_SECONDS)
        return self._described

    def _embed(self, method: str, texts: Sequence[str]) -> Vectors:
        seconds = FEW_SECONDS if len(texts) <= FEW_TEXTS else MANY_SECONDS
        starts = range(0, max(1, len(texts)), BATCH_TEXTS)
        batches = [(list(texts[start : start + BATCH_TEXTS]),) for start in starts]
        asked = [self._ask(method, batch) for batch in batches]
        answers = zip(batches, asked, strict=True)
        return np.concatenate([self._result(method, batch, seconds, first) for batch, first in answers])

    def _ask(self, method: str, arguments: tuple[Any, ...]) -> DeploymentResponse[Any]:
        return self._handle.options(method_name=method).remote(*arguments)

    def _result(
        self, method: str, arguments: tuple[Any, ...], seconds: float, first: DeploymentResponse[Any] | None = None
    ) -> Any:
        """Return what a replica answers; raises ModelUnavailable when several fail."""
        reason: Exception | None = None
        for attempt in range(TRIES):
            response = first if first is not None and attempt == 0 else self._ask(method, arguments)
            try:
                return response.result(timeout_s=seconds)
            except (RayError, RayServeException, TimeoutError) as error:
                reason = error
                response.cancel()
        raise ModelUnavailable(f"no replica embeds: {type(reason).__name__}") from reason
