from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from knowledge import llama


@pytest.mark.parametrize(("before", "after"), [(None, llama.SPINS), ("7", "7")])
def test_threads_spin_for_a_moment_only_unless_somebody_says_so(
    before: str | None, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if before:
        monkeypatch.setenv("GOMP_SPINCOUNT", before)
    llama.library.__wrapped__()
    assert os.environ["GOMP_SPINCOUNT"] == after


def test_one_thread_at_a_time_reads_what_the_build_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    """llama.cpp writes it into the same buffer each time: two at once read half of each other's."""
    reading = threading.Lock()

    def print_system_info() -> bytes:
        assert reading.acquire(blocking=False), "another thread is writing into the buffer"
        time.sleep(0.01)
        reading.release()
        return b"AVX2 = 1"

    monkeypatch.setattr(llama, "library", lambda: SimpleNamespace(llama_print_system_info=print_system_info))
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: llama.processor_features(), range(8))) == {"AVX2 = 1"}
