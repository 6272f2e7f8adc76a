"""The embedding model that a machine gets where the settings name none."""

from __future__ import annotations

from knowledge.embedding.int8 import is_possible
from knowledge.machine import available_memory
from knowledge.weights.catalogue import AUTOMATIC, LARGE_EMBEDDING, SMALL_EMBEDDING
from knowledge.weights.library import ModelLibrary

ROOM = 2_000_000_000
"""Bytes of memory that the large model's machine must have: writing it takes 1.3 GB once, a server with it 1.0 GB."""


def models_for_this_machine(*, in_eight_bits: bool = True) -> tuple[str, ...]:
    """Name the models that `auto` may be, the best first: the large one only where a question takes it some 12 ms."""
    if in_eight_bits and is_possible() and available_memory() >= ROOM:
        return LARGE_EMBEDDING, SMALL_EMBEDDING
    return (SMALL_EMBEDDING,)


def chosen_model(setting: str, library: ModelLibrary, *, in_eight_bits: bool = True) -> str:
    """Return the model that a setting names; `auto` is the best one that is here, or would be brought here.

    Where only the large one is here, it is taken on any machine: slow is better than by words alone.
    """
    if setting != AUTOMATIC:
        return setting
    names = models_for_this_machine(in_eight_bits=in_eight_bits)
    return next((name for name in (*names, LARGE_EMBEDDING) if library.has(name)), names[0])
