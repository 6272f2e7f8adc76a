"""The number of threads of a step."""

from __future__ import annotations

from bot.models.engine.threads import MOST_PATIENCE, PATIENCE, WINDOW, Threads


def steps(threads: Threads, share: float, windows: int = 1) -> int:
    """Compute for so many windows, in which the calling thread runs for that share; return the number of threads."""
    for _ in range(windows):
        threads.learn(share * WINDOW, WINDOW)
    return threads.count


def windows_until_more(threads: Threads) -> int:
    """Count the undisturbed windows that pass before one thread more is tried."""
    before = threads.count
    return next(window for window in range(1, 2 * MOST_PATIENCE) if steps(threads, 1.0) > before)


def test_all_of_them_compute_to_begin_with() -> None:
    assert Threads(4).count == 4


def test_beside_a_busy_program_one_less_computes() -> None:
    assert steps(Threads(4), share=0.5) == 3


def test_one_always_computes() -> None:
    assert steps(Threads(2), share=0.1, windows=9) == 1


def test_a_core_lost_for_a_moment_is_nothing() -> None:
    threads = Threads(2)
    threads.learn(0.0, WINDOW / 10)
    for _ in range(20):
        threads.learn(WINDOW / 10, WINDOW / 10)
    assert threads.count == 2


def test_when_it_is_quiet_again_one_more_is_tried() -> None:
    threads = Threads(2)
    steps(threads, share=0.5)
    assert windows_until_more(threads) == 2 * PATIENCE
    assert steps(threads, share=1.0, windows=3 * MOST_PATIENCE) == 2


def test_each_time_that_was_too_early_the_next_comes_later() -> None:
    threads, waited = Threads(2), []
    for _ in range(9):
        steps(threads, share=0.5)
        waited.append(windows_until_more(threads))
    assert waited == [4, 8, 16, 32, 64, 64, 64, 64, 64]


def test_after_a_quiet_time_it_is_tried_soon_again() -> None:
    threads = Threads(2)
    for _ in range(5):
        steps(threads, share=0.5)
        windows_until_more(threads)
    steps(threads, share=1.0)
    steps(threads, share=0.5)
    assert windows_until_more(threads) == 2 * PATIENCE


def test_disturbance_at_one_thread_does_not_put_off_the_next_try() -> None:
    threads = Threads(2)
    steps(threads, share=0.5, windows=50)
    assert windows_until_more(threads) == 2 * PATIENCE
