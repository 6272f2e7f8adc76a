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
from typing import Any

from knowledge.errors import ModelError
from knowledge.llama import is_slow_build, library, logging_to
from knowledge.machine import available_threads
from knowledge.weights.catalogue import requantised
from knowledge.weights.download import Progress, check_space, ignore_progress
from knowledge.weights.library import Weights

FAST = "fast"
BITS = {"q4_0": 4.5, "q4_k_m": 4.9, FAST: 4.9, "q5_k_m": 5.7, "q6_k": 6.6, "q8_0": 8.5}
"""The types to choose from, each with the bits that a weight takes, about; `fast` is `faster`'s mixture."""

_TENSOR = re.compile(rb"^\[\s*(\d+)/\s*(\d+)\]\s+(\S+).* type =\s*(\w+)")
_MULTIPLIED = re.compile(r"blk\.\d+\.(attn_q|attn_k|attn_output|ffn_gate|ffn_up)\.weight")
"""The large matrices of each layer; attn_v is small, and what it loses is heard most (llama.cpp gives it more bits)."""


def requantise(weights: Weights, kind: str, folder: Path, *, progress: Progress = ignore_progress) -> Weights:
    """Write a model in another type into `folder`, unless it is there and no older; takes some seconds a gigabyte.

    Progress counts tensors.

    Raises:
        ModelError: the type is unknown, or llama.cpp refused.
        NotEnoughSpace: the disk cannot hold the file.
    """
    if kind not in BITS:
        raise ModelError(f"{kind} is not a type to quantise to; choose one of {', '.join(BITS)}")
    record = requantised(weights.record, kind)
    target = folder / record.file
    if not _is_made(target, weights.path):
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
    """Return a chat model in types that processors with SIMD multiply fastest, written once if it is not there yet.

    Only what is about as coarse already, and has something to gain: where the width of a model is no multiple of 256,
    as Qwen2.5-0.5B's, most of its Q4_K file is Q5_0, which llama.cpp does not re-pack.

    Raises:
        NotEnoughSpace: the disk cannot hold the file.
        ModelError: llama.cpp refused.
    """
    if "q4_k" not in weights.path.name.lower() or is_slow_build():
        return weights
    made = folder / requantised(weights.record, FAST).file
    if not _is_made(made, weights.path) and not _has_slow_matrices(weights.path):
        return weights
    return requantise(weights, FAST, folder, progress=progress)


def _is_made(target: Path, source: Path) -> bool:
    """Say whether a file is there that was written from this source, and not from an older one of the same name."""
    return target.exists() and target.stat().st_mtime >= source.stat().st_mtime


def _has_slow_matrices(path: Path) -> bool:
    return any(_MULTIPLIED.fullmatch(name) and kind == "q5_0" for name, kind in _types(path).items())


def _types(path: Path) -> dict[str, str]:
    """Return the type of each tensor, as llama.cpp's quantiser tells them in a dry run; {} for what it cannot read."""
    parameters, types = _parameters("q4_k_m"), dict[str, str]()
    parameters.dry_run = True

    def note(line: bytes) -> None:
        if found := _TENSOR.match(line):
            types[found[3].decode()] = found[4].decode().lower()

    with logging_to(note):
        library().llama_model_quantize(str(path).encode(), b"", ctypes.byref(parameters))
    return types


def _fast_type(name: str, kind: str) -> str:
    """Return the type that a tensor is to have: IQ4_NL for what multiplies slowly, else the one it has."""
    return "iq4_nl" if (_MULTIPLIED.fullmatch(name) and kind == "q5_0") or name == "output.weight" else kind


def _parameters(kind: str) -> Any:
    llama = library()
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype = getattr(llama, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}")
    parameters.nthread = available_threads()
    parameters.allow_requantize = True
    return parameters


def _fast_parameters(source: Path) -> Any:
    """Return those that write every tensor in the type it has, or in a faster one."""
    llama = library()
    wanted = [
        (f"^{re.escape(name)}$".encode(), getattr(llama, f"GGML_TYPE_{_fast_type(name, kind).upper()}"))
        for name, kind in _types(source).items()
        if kind != "f32"
    ]
    parameters = _parameters("q4_k_m")
    overrides = (llama.llama_model_tensor_override * (len(wanted) + 1))(*wanted)  # the last one, empty, ends them
    parameters.tt_overrides = ctypes.cast(overrides, type(parameters.tt_overrides))
    return parameters


def _quantise(source: Path, target: Path, kind: str, progress: Callable[[int, int], None]) -> None:
    parameters = _fast_parameters(source) if kind == FAST else _parameters(kind)
    last = b""

    def note(line: bytes) -> None:
        nonlocal last
        last = line.strip() or last
        if found := _TENSOR.match(line):
            progress(int(found[1]), int(found[2]))

    with logging_to(note):
        failed = library().llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters))
    if failed:
        raise ModelError(f"llama.cpp cannot quantise {source.name} to {kind}: {last.decode(errors='replace')}")
