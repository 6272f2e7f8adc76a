"""One llama.cpp context: sequences of computed tokens in shared cells, and steps that extend many of them at once.

The cells are unified: a sequence that copies another's beginning shares its cells. Flash attention is always on:
without it every row looks at the cells of all sequences, which made a step beside 15 others up to twice as slow.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.errors import OutOfCells
from knowledge.errors import ModelError, ModelUnavailable
from knowledge.llama import LlamaModel, TokenBatch, library

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL = 1
"""What llama_decode returns when there are no free cells; nothing was computed then."""


class Context:
    """The memory of a model at work: `cells` tokens, in up to `sequences` sequences. One thread may use it."""

    def __init__(self, model: LlamaModel, *, cells: int, sequences: int, rows: int, outputs: int, threads: int) -> None:
        """Allocate; a step has at most `rows` rows, `outputs` of them with logits.

        Raises:
            ModelUnavailable: there is not enough memory.
        """
        self._llama = library()
        parameters = self._llama.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_batch = parameters.n_ubatch = rows
        parameters.n_outputs_max = outputs
        parameters.n_seq_max = sequences
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.kv_unified = True
        parameters.flash_attn_type = self._llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        parameters.swa_full = True  # a window's cells are dropped otherwise, and sequences could not be cut back
        parameters.no_perf = True
        self._handle: Any = self._llama.llama_init_from_model(model.handle, parameters)
        if not self._handle:
            raise ModelUnavailable(f"there is not enough memory for a context of {cells} tokens")
        self._memory = self._llama.llama_get_memory(self._handle)
        self._vocabulary_size = model.vocabulary_size
        self.step = TokenBatch(rows)
        self.cells = cells

    def compute(self) -> NDArray[np.float32]:
        """Compute the step; return its logits, (outputs, vocabulary), which last until the next step.

        Raises:
            OutOfCells: there is no room; nothing was computed.
            ModelError: it failed; what the sequences hold is not known any more.
        """
        status = self._llama.llama_decode(self._handle, self.step.batch)
        if status == FULL:
            raise OutOfCells
        if status != 0:
            raise ModelError("llama.cpp could not compute a step")
        if not self.step.outputs:
            return np.zeros((0, self._vocabulary_size), np.float32)
        logits = self._llama.llama_get_logits(self._handle)
        return np.ctypeslib.as_array(logits, (self.step.outputs, self._vocabulary_size))

    def use(self, threads: int) -> None:
        """Compute with so many threads from now on."""
        self._llama.llama_set_n_threads(self._handle, threads, threads)

    def share(self, source: int, target: int, length: int) -> None:
        """Let `target` begin with the first tokens of `source`, in the same cells."""
        self.cut(target, 0)
        self._llama.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def cut(self, sequence: int, length: int) -> None:
        """Keep the first tokens of a sequence only."""
        self._llama.llama_memory_seq_rm(self._memory, sequence, length, -1)

    def holds(self, sequence: int) -> int:
        """Count the tokens of a sequence; 0 if its first is missing."""
        if self._llama.llama_memory_seq_pos_min(self._memory, sequence) != 0:
            return 0
        return int(self._llama.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def save(self, sequence: int) -> bytes:
        """Return the state of a sequence."""
        size = self._llama.llama_state_seq_get_size(self._handle, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = self._llama.llama_state_seq_get_data(self._handle, buffer, size, sequence)
        return ctypes.string_at(buffer, written)

    def restore(self, sequence: int, state: bytes) -> bool:
        """Put a saved state in the place of a sequence; say whether there was room for it."""
        buffer = ctypes.cast(ctypes.c_char_p(state), ctypes.POINTER(ctypes.c_uint8))
        return bool(self._llama.llama_state_seq_set_data(self._handle, buffer, len(state), sequence))

    def close(self) -> None:
        """Give the memory back."""
        if self._handle:
            self._llama.llama_free(self._handle)
            self._handle = None
