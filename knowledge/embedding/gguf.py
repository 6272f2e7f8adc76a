"""The default embedder: a GGUF file run by llama.cpp, on the processor."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from knowledge.embedding.base import Vectors, to_unit
from knowledge.errors import ModelUnavailable
from knowledge.llama import LlamaModel, TokenBatch, available_threads, library
from knowledge.weights.library import Weights

BATCH_TOKENS = 512
QUERY_TOKENS = 128
"""A longer question is cut: llama.cpp reserves a megabyte a token for a vocabulary of 250,000."""

BATCH_TEXTS = 4
"""Texts a batch: measured fastest on two cores."""


QUERY_PREFIX, PASSAGE_PREFIX = "frontdesk.query_prefix", "frontdesk.passage_prefix"
"""Fields of a file that brings its own prefixes, as those that `frontdesk train-embedder` writes do."""

FEW_TOKENS = 16
"""So few are embedded by one thread: waking the others takes longer than they save (2 cores, beside a chat model)."""


class GgufEmbedder:
    """Embeds with a model's own prefixes and pooling; texts are cut at its context length.

    They are those of its record, unless the file brings prefixes, as those of `frontdesk train-embedder` do.
    """

    def __init__(self, weights: Weights, *, threads: int | None = None) -> None:
        """Remember what to load."""
        self._weights = weights
        self._threads = threads or available_threads()
        self._lock = threading.Lock()
        self._model: LlamaModel | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._weights.record.name

    @cached_property
    def fingerprint(self) -> str:
        """The file's hash with all that shapes a vector."""
        record = self._weights.record
        identity = record.sha256 or _hash(self._weights.path)
        return f"gguf:{identity}:{record.pooling}:{record.query_prefix}:{record.passage_prefix}"

    def warm_up(self) -> None:
        """Load the model once."""
        with self._lock:
            if self._model is None:
                self._load()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions."""
        return self._embed(texts, QUERY_PREFIX, QUERY_TOKENS)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self._embed(texts, PASSAGE_PREFIX, BATCH_TOKENS)

    def _load(self) -> None:
        llama = library()
        model = LlamaModel(self._weights.path)
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
        parameters.n_seq_max = BATCH_TEXTS
        parameters.n_threads = parameters.n_threads_batch = self._threads
        parameters.embeddings = True
        parameters.kv_unified = True
        pooling = self._weights.record.pooling
        parameters.pooling_type = {
            "mean": llama.LLAMA_POOLING_TYPE_MEAN,
            "cls": llama.LLAMA_POOLING_TYPE_CLS,
        }[pooling]
        context = llama.llama_init_from_model(model.handle, parameters)
        if not context:
            model.close()
            raise ModelUnavailable(f"{self.name} does not load as an embedding model")
        self._llama, self._context, self._batch = llama, context, TokenBatch(BATCH_TOKENS)
        record = self._weights.record
        given = {QUERY_PREFIX: record.query_prefix, PASSAGE_PREFIX: record.passage_prefix}
        self._prefixes = {name: model.field(name, default) for name, default in given.items()}
        self._model = model

    def _embed(self, texts: Sequence[str], kind: str, limit: int) -> Vectors:
        self.warm_up()
        assert self._model is not None
        prefix = self._prefixes[kind]
        tokens = [self._model.tokenise(prefix + text, ends=True)[:limit] for text in texts]
        vectors = np.zeros((len(texts), self._model.dimensions), dtype=np.float32)
        for group in _group_by_length(tokens):
            with self._lock:  # freed between groups, so that a customer's question waits for one at most
                self._run([tokens[index] for index in group], vectors, group)
        return to_unit(vectors)

    def _run(self, sequences: list[list[int]], vectors: Vectors, rows: list[int]) -> None:
        self._batch.clear()
        for sequence, tokens in enumerate(sequences):
            self._batch.add(tokens, start=0, sequence=sequence, outputs=True)
        threads = 1 if self._batch.batch.n_tokens <= FEW_TOKENS else self._threads
        self._llama.llama_set_n_threads(self._context, threads, threads)
        if self._llama.llama_encode(self._context, self._batch.batch) != 0:
            raise ModelUnavailable(f"{self.name} failed to embed a text")
        for sequence, row in enumerate(rows):
            pointer = self._llama.llama_get_embeddings_seq(self._context, sequence)
            vectors[row] = np.ctypeslib.as_array(pointer, shape=(vectors.shape[1],))


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _group_by_length(tokens: list[list[int]]) -> list[list[int]]:
    """Group the indexes of texts of like length, so that each group fits one batch."""
    groups: list[list[int]] = []
    room = 0
    for index in sorted(range(len(tokens)), key=lambda index: len(tokens[index])):
        length = len(tokens[index])
        if not groups or len(groups[-1]) == BATCH_TEXTS or length > room:
            groups.append([])
            room = BATCH_TOKENS
        groups[-1].append(index)
        room -= length
    return groups
