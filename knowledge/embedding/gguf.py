"""The default embedder: a GGUF file run by llama.cpp, on the processor."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from knowledge.embedding.base import Vectors, to_unit
from knowledge.errors import ModelUnavailable
from knowledge.llama import LlamaModel, TokenBatch, library
from knowledge.machine import available_threads
from knowledge.weights.library import Weights
from knowledge.weights.record import ModelRecord

BATCH_TOKENS = 512
QUERY_TOKENS = 128
"""A longer question is cut: llama.cpp reserves a megabyte a token for a vocabulary of 250,000, in each context."""

BATCH_TEXTS = 4
"""Texts a batch: 9.6 ms of one core each, alone 13.5, eight or sixteen together no less than four."""

LOOKED_AT = 32
"""Texts that wait behind the first, of which a batch takes those of like length."""

MAX_CONTEXTS = 4
"""Batches that are computed at the same time, one thread each. Only the first has room for long passages."""

QUERY_PREFIX, PASSAGE_PREFIX = "frontdesk.query_prefix", "frontdesk.passage_prefix"
"""Fields of a file that brings its own prefixes, as those that `frontdesk train-embedder` writes do."""

FEW_TOKENS = 60
"""Up to here plain attention is the faster one: 21 tokens take 11.7 instead of 14.3 ms, 80 take 47 instead of 39.

A multiple of BATCH_TEXTS, which llama.cpp asserts."""


@dataclass(eq=False)
class Text:
    """A text's tokens, and the vector that it will have."""

    tokens: list[int]
    vector: Future[Vectors] = field(default_factory=Future)


class BatchContext(Protocol):
    """What computes one batch at a time, with one thread."""

    room: int
    """Tokens that a batch may have."""

    def embed(self, texts: Sequence[Text]) -> None:
        """Give texts their vectors, or the reason why they have none."""


class Opened(NamedTuple):
    """A model that is ready to compute."""

    model: LlamaModel
    """Its file, at least as far as its tokenizer and its fields."""

    dimensions: int
    contexts: list[tuple[BatchContext, BatchContext]]
    """For each batch that is computed at a time: what takes one of few tokens, and what takes any."""


class GgufEmbedder:
    """Embeds with a model's own prefixes and pooling; texts are cut at its context length.

    They are those of its record, unless the file brings prefixes, as those of `frontdesk train-embedder` do. Texts that
    wait at the same time share a batch, whoever asks. Several batches are computed side by side, a thread each: threads
    that share a batch wait for each other in the middle of it, a second and more where the machine has other work.
    """

    def __init__(self, weights: Weights, *, threads: int | None = None) -> None:
        """Remember what to load."""
        self._weights = weights
        self._threads = threads or available_threads()
        self._lock = threading.Lock()
        self._arrived = threading.Condition()
        self._few: deque[Text] = deque()
        self._long: deque[Text] = deque()
        self._many: deque[Text] = deque()
        self._model: LlamaModel | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._weights.record.name

    @cached_property
    def fingerprint(self) -> str:
        """The file's hash with all that shapes a vector."""
        record = self._weights.record
        return f"gguf:{self.identity}:{record.pooling}:{record.query_prefix}:{record.passage_prefix}"

    @cached_property
    def identity(self) -> str:
        """The file's hash."""
        return self._weights.record.sha256 or _hash(self._weights.path)

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
        record = self._weights.record
        rooms = [BATCH_TOKENS, *[QUERY_TOKENS] * (min(self._threads, MAX_CONTEXTS) - 1)]
        model, self._dimensions, contexts = self._open(rooms)
        for few, many in contexts:
            threading.Thread(target=self._serve, args=(few, many), name="embedder", daemon=True).start()
        given = {QUERY_PREFIX: record.query_prefix, PASSAGE_PREFIX: record.passage_prefix}
        self._prefixes = {name: model.field(name, default) for name, default in given.items()}
        self._model = model

    def _open(self, rooms: Sequence[int]) -> Opened:
        """Load the model for batches of so many tokens, one each at a time."""
        model, record = LlamaModel(self._weights.path), self._weights.record
        contexts: list[tuple[BatchContext, BatchContext]] = [
            (
                _Context(model, record, FEW_TOKENS, flash_attention=False),
                _Context(model, record, room, flash_attention=True),
            )
            for room in rooms
        ]
        return Opened(model, model.dimensions, contexts)

    def _embed(self, texts: Sequence[str], kind: str, limit: int) -> Vectors:
        self.warm_up()
        assert self._model is not None
        prefix = self._prefixes[kind]
        waiting = [Text(self._model.tokenise(prefix + text, ends=True)[:limit]) for text in texts]
        with self._arrived:
            self._line_up(waiting)
            self._arrived.notify_all()
        vectors = np.array([text.vector.result() for text in waiting], dtype=np.float32)
        return to_unit(vectors.reshape(len(texts), self._dimensions))

    def _line_up(self, texts: list[Text]) -> None:
        """Let few texts go first; of many, those of like lengths together, since a batch is as long as its longest."""
        if len(texts) <= BATCH_TEXTS:
            self._few.extend(texts)
            return
        for text in sorted(texts, key=lambda text: len(text.tokens), reverse=True):
            (self._long if len(text.tokens) > QUERY_TOKENS else self._many).append(text)

    def _serve(self, few: BatchContext, many: BatchContext) -> None:
        """Embed what waits, for ever."""
        while True:
            with self._arrived:
                batch = self._arrived.wait_for(partial(self._next_batch, many.room))
            context = few if sum(len(text.tokens) for text in batch) <= few.room else many
            context.embed(batch)

    def _next_batch(self, room: int) -> list[Text]:
        """Take what waits and fits, a customer's question before the many lines of a knowledge base, and not with them.

        Whoever has waited for longest goes, with those of like length: a batch is as long as its longest. Lines that
        only some contexts have room for wait apart: at the head of all others they would hold these up.
        """
        for queue in (self._few, self._long, self._many):
            if queue and len(queue[0].tokens) <= room:
                return _take(queue, room)
        return []


def _take(queue: deque[Text], room: int) -> list[Text]:
    """Take the first, and of those right behind it the likest in length that fit."""
    batch = [queue.popleft()]
    length = len(batch[0].tokens)
    room -= length
    for text in sorted(islice(queue, LOOKED_AT), key=lambda text: abs(len(text.tokens) - length)):
        if len(batch) < BATCH_TEXTS and len(text.tokens) <= room:
            batch.append(text)
            room -= len(text.tokens)
            queue.remove(text)
    return batch


class _Context:
    """llama.cpp's."""

    def __init__(self, model: LlamaModel, record: ModelRecord, room: int, *, flash_attention: bool) -> None:
        self._llama = llama = library()
        self._name, self._dimensions, self.room = record.name, model.dimensions, room
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = room
        parameters.n_seq_max = BATCH_TEXTS
        parameters.n_threads = parameters.n_threads_batch = 1
        parameters.flash_attn_type = int(flash_attention)
        parameters.embeddings = True
        parameters.kv_unified = True
        parameters.pooling_type = {
            "mean": llama.LLAMA_POOLING_TYPE_MEAN,
            "cls": llama.LLAMA_POOLING_TYPE_CLS,
        }[record.pooling]
        self._context = llama.llama_init_from_model(model.handle, parameters)
        if not self._context:
            model.close()
            raise ModelUnavailable(f"{self._name} does not load as an embedding model")
        self._batch = TokenBatch(room)

    def embed(self, texts: Sequence[Text]) -> None:
        """Give texts their vectors, or the reason why they have none."""
        self._batch.clear()
        for sequence, text in enumerate(texts):
            self._batch.add(text.tokens, start=0, sequence=sequence, outputs=len(text.tokens))
        failed = self._llama.llama_encode(self._context, self._batch.batch) != 0
        for sequence, text in enumerate(texts):
            if failed:
                text.vector.set_exception(ModelUnavailable(f"{self._name} failed to embed a text"))
                continue
            pointer = self._llama.llama_get_embeddings_seq(self._context, sequence)
            text.vector.set_result(np.ctypeslib.as_array(pointer, shape=(self._dimensions,)).copy())


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
