"""Writing a model's file again in another of llama.cpp's types: smaller, faster, or larger for comparison.

What was quantised before stays as coarse as it was: 8 bits made of 4 cost memory and time, and know nothing more.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from knowledge.errors import ModelError
from knowledge.llama import is_slow_build, library, logging_to
from knowledge.machine import available_threads
from knowledge.weights.catalogue import requantised
from knowledge.weights.download import Progress, check_space, ignore_progress
from knowledge.weights.library import Weights

BITS = {"q4_0": 4.5, "q4_k_m": 4.9, "q5_k_m": 5.7, "q6_k": 6.6, "q8_0": 8.5}
"""The types to choose from, each with the bits that a weight takes, about."""

_TENSOR = re.compile(rb"^\[\s*(\d+)/\s*(\d+)\]")


def requantise(weights: Weights, kind: str, folder: Path, *, progress: Progress = ignore_progress) -> Weights:
    """Write a model in another type into `folder`, unless it is there already; takes some seconds a gigabyte.

    Progress counts tensors.

    Raises:
        ModelError: the type is unknown, or llama.cpp refused.
        NotEnoughSpace: the disk cannot hold the file.
    """
    if kind not in BITS:
        raise ModelError(f"{kind} is not a type to quantise to; choose one of {', '.join(BITS)}")
    record = requantised(weights.record, kind)
    target = folder / record.file
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        weights_at_most = weights.path.stat().st_size * 2
        check_space(folder, round(weights_at_most * BITS[kind] / 8))
        partial = target.with_suffix(f".{os.getpid()}.partial")
        try:
            _quantise(weights.path, partial, kind, lambda done, total: progress(record.name, done, total))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return Weights(replace(record, size=target.stat().st_size), target)


def faster(weights: Weights, folder: Path, *, progress: Progress = ignore_progress) -> Weights:
    """Return a chat model in the type that processors with SIMD multiply fastest, written once if it is not there yet.

    Only what is about as coarse already: much of a Q4_K file of Qwen2.5-0.5B, whose width is no multiple of 256, is of
    types that llama.cpp does not re-pack.

    Raises:
        NotEnoughSpace: the disk cannot hold the file.
        ModelError: llama.cpp refused.
    """
    if "q4_k" not in weights.path.name.lower() or is_slow_build():
        return weights
    return requantise(weights, "q4_0", folder, progress=progress)


def _quantise(source: Path, target: Path, kind: str, progress: Callable[[int, int], None]) -> None:
    llama = library()
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype = getattr(llama, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}")
    parameters.nthread = available_threads()
    parameters.allow_requantize = True
    last = b""

    def note(line: bytes) -> None:
        nonlocal last
        last = line.strip() or last
        if found := _TENSOR.match(line):
            progress(int(found[1]), int(found[2]))

    with logging_to(note):
        failed = llama.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters))
    if failed:
        raise ModelError(f"llama.cpp cannot quantise {source.name} to {kind}: {last.decode(errors='replace')}")
