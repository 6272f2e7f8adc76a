"""What the engine may use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """Limits of the engine: `threads` 0 takes the cores there are; budgets are in bytes.

    `context_tokens` is the room for one prompt and its answer, `slots` how many are worked on at once. States of
    prompts are kept in `state_bytes` of memory and, if there is a `state_folder`, in `state_folder_bytes` of disk. At
    most `queue` requests wait, and none that would have to wait for more than `patience` seconds is taken.
    """

    threads: int = 0
    context_tokens: int = 3_072
    slots: int = 8
    state_bytes: int = 64 << 20
    state_folder: Path | None = None
    state_folder_bytes: int = 0
    queue: int = 64
    patience: float = 20.0
    drafting: bool = True
