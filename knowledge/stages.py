"""The stages of a search by name, for whoever wants to know where its time goes; by default nobody does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Watch = Callable[[str], AbstractContextManager[object]]

_unwatched = nullcontext()
_watch: Watch = lambda _: _unwatched  # noqa: E731


def watch_stages(watch: Watch | None) -> None:
    """Enter what `watch` returns for a stage's name while that stage lasts, in the thread that works; None: nobody."""
    global _watch  # noqa: PLW0603 - as with logging, one for the process
    _watch = watch or (lambda _: _unwatched)


def stage(name: str) -> AbstractContextManager[object]:
    """Mark a stage."""
    return _watch(name)
