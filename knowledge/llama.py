"""The part of llama.cpp's C interface that both local models stand on: loading, tokenising, batches, threads.

Facts and traps of llama-cpp-python's low-level functions are those of llama.h, whose names they keep.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import ModelUnavailable

MADV_DONTNEED = 4

SPINS = "1000"
"""How often a thread of OpenMP looks whether the others have come before it sleeps; libgomp reckons with 100,000 times
a millisecond. Its own 300,000 made a step beside one busy program last for seconds (docs/engine.md)."""


@cache
def library() -> Any:
    """Return the llama_cpp module, loaded at the first call and silenced.

    Raises:
        ModelUnavailable: it is not installed, or was built for another processor.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # libgomp reads it once, when it is loaded
    try:
        import llama_cpp  # noqa: PLC0415 - loads a 20 MB library, which importing this module must not do
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelUnavailable(f"llama-cpp-python cannot be loaded ({error}); reinstall it: make install") from error
    llama_cpp.llama_log_set(_drop_log, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp


_LOG_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_drop_log = _LOG_CALLBACK(lambda _level, _text, _data: None)
"""Keeps llama.cpp's own lines off the terminal: what matters is raised as an exception."""


@contextmanager
def logging_to(note: Callable[[bytes], None]) -> Iterator[None]:
    """Give llama.cpp's lines to `note` meanwhile, those of every thread; one user at a time."""
    callback = _LOG_CALLBACK(lambda _level, text, _data: note(text))
    library().llama_log_set(callback, ctypes.c_void_p(0))
    try:
        yield
    finally:
        library().llama_log_set(_drop_log, ctypes.c_void_p(0))


_reading_features = threading.Lock()


def processor_features() -> str:
    """Return what the build uses of the processor, as llama.cpp prints it: into one buffer, whoever asks."""
    with _reading_features:
        return str(library().llama_print_system_info().decode())


def is_slow_build() -> bool:
    """Say whether the build uses no SIMD, which makes it some twenty times slower."""
    features = processor_features()
    return "AVX2 = 1" not in features and "NEON = 1" not in features


def release_idle_memory(path: Path) -> None:
    """Hand back what loading a model touched but running it does not; on Linux only.

    llama.cpp reads the whole mapped file in advance. Most rows of the token table, and what was re-packed, are never
    looked at again: dropped from this process (190 MB here), a page that is needed after all comes back from the
    page cache. The C library's own leftovers of loading the vocabulary (up to 100 MB) are returned too.
    """
    libc = ctypes.CDLL(None)
    try:
        mappings = Path("/proc/self/maps").read_text().splitlines()
        libc.malloc_trim(0)
    except (OSError, AttributeError):
        return
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for mapping in mappings:
        if mapping.endswith(str(path.resolve())):
            start, end = (int(address, 16) for address in mapping.split(" ", 1)[0].split("-"))
            libc.madvise(start, end - start, MADV_DONTNEED)


class LlamaModel:
    """The weights of one GGUF file, mapped into memory, with their tokenizer."""

    def __init__(self, path: Path, *, tokenizer_only: bool = False) -> None:
        """Load the file, or no more of it than tokenising needs.

        Raises:
            ModelUnavailable: it is no GGUF file that llama.cpp can load.
        """
        self._llama = library()
        parameters = self._llama.llama_model_default_params()
        parameters.vocab_only = tokenizer_only
        self.handle = self._llama.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.handle:
            raise ModelUnavailable(f"{path} is not a model that llama.cpp can load; run: frontdesk models verify")
        release_idle_memory(path)
        self.vocabulary = self._llama.llama_model_get_vocab(self.handle)
        self.vocabulary_size = int(self._llama.llama_vocab_n_tokens(self.vocabulary))
        self.dimensions = int(self._llama.llama_model_n_embd(self.handle))
        self.trained_context = int(self._llama.llama_model_n_ctx_train(self.handle))

    @property
    def state_bytes_a_token(self) -> int:
        """The size of a token's keys and values, two bytes each, in all layers."""
        heads = int(self._llama.llama_model_n_head(self.handle))
        shared = int(self._llama.llama_model_n_head_kv(self.handle))
        layers = int(self._llama.llama_model_n_layer(self.handle))
        return 2 * 2 * layers * shared * self.dimensions // max(1, heads)

    def field(self, name: str, default: str) -> str:
        """Return a text that the file carries under this name, `default` if it does not."""
        buffer = ctypes.create_string_buffer(256)
        length = self._llama.llama_model_meta_val_str(self.handle, name.encode(), buffer, len(buffer))
        return default if length < 0 else buffer.value.decode()

    def tokenise(self, text: str, *, markers: bool = False, ends: bool = False) -> list[int]:
        """Return the tokens of `text`.

        Only with `markers` does text such as <|im_end|> become the token it names: never for a customer's words.
        `ends` adds the tokens that the model wants at both ends.
        """
        data = text.encode()
        room = len(data) + 8
        tokens = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(self.vocabulary, data, len(data), tokens, room, ends, markers)
        return list(tokens[: max(0, count)])

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token, which may be part of a character; markers have none."""
        buffer = ctypes.create_string_buffer(64)
        length = self._llama.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, False)  # noqa: FBT003
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = self._llama.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, False)  # noqa: FBT003
        return buffer.raw[:length]

    def ends_generation(self, token: int) -> bool:
        """Say whether a token means that the answer is complete."""
        return bool(self._llama.llama_vocab_is_eog(self.vocabulary, token))

    def close(self) -> None:
        """Give the memory back."""
        if self.handle:
            self._llama.llama_model_free(self.handle)
            self.handle = None


class TokenBatch:
    """A llama_batch of fixed room, filled anew for each step, over arrays that are written whole slices at a time."""

    def __init__(self, room: int) -> None:
        """Allocate room for so many tokens."""
        self._tokens = np.zeros(room, np.int32)
        self._positions = np.zeros(room, np.int32)
        self._counts = np.ones(room, np.int32)
        self._sequences = np.zeros(room, np.int32)
        self._wanted = np.zeros(room, np.int8)
        first = self._sequences.ctypes.data
        self._pointers = (ctypes.c_void_p * room)(*(first + 4 * row for row in range(room)))
        batch = library().llama_batch()
        for name, place in (
            ("token", self._tokens.ctypes.data),
            ("pos", self._positions.ctypes.data),
            ("n_seq_id", self._counts.ctypes.data),
            ("logits", self._wanted.ctypes.data),
        ):
            setattr(batch, name, ctypes.cast(place, type(getattr(batch, name))))
        batch.embd, batch.seq_id = None, ctypes.cast(self._pointers, type(batch.seq_id))
        self._batch = batch
        self.clear()

    @property
    def batch(self) -> Any:
        """What llama_decode and llama_encode take."""
        self._batch.n_tokens = self.rows
        return self._batch

    def clear(self) -> None:
        """Forget all tokens."""
        self.rows = self.outputs = 0

    def add(self, tokens: Sequence[int], *, start: int, sequence: int, outputs: int = 1) -> None:
        """Append tokens at positions from `start`; the last `outputs` of them give a result each."""
        begin, end = self.rows, self.rows + len(tokens)
        self._tokens[begin:end] = tokens
        self._positions[begin:end] = range(start, start + len(tokens))
        self._sequences[begin:end] = sequence
        self._wanted[begin : end - outputs] = 0
        self._wanted[end - outputs : end] = 1
        self.rows, self.outputs = end, self.outputs + outputs
