"""What the engine has done since it was started, for /metrics, `doctor` and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """Sums; seconds are of wall-clock time, tokens and rows are counts."""

    requests: int = 0
    finished: int = 0
    cancelled: int = 0
    late: int = 0
    shed: int = 0
    suspended: int = 0
    queue_seconds: float = 0.0
    prompt_computed: int = 0
    prompt_reused: int = 0
    prepared: int = 0
    generated: int = 0
    drafted: int = 0
    accepted: int = 0
    steps: int = 0
    rows: int = 0
    occupancy: int = 0
    seconds: float = 0.0
    decode_seconds: float = 0.0

    def note_step(self, *, rows: int, requests: int, seconds: float) -> None:
        """Count a llama_decode."""
        self.steps += 1
        self.rows += rows
        self.occupancy += requests
        self.decode_seconds += seconds

    @property
    def overhead(self) -> float:
        """The share of the engine's busy time that is not llama_decode's."""
        return 1 - self.decode_seconds / self.seconds if self.seconds else 0.0
