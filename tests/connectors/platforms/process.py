"""A platform in a process of its own, as a real one is to a bot that is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from operator import attrgetter
from typing import Any

from tests.bot.servers import serving


class Stage:
    """Serves a platform in the process that it is made in."""

    def __init__(self, kind: Callable[[], Any]) -> None:
        self._platform, self._stack = kind(), ExitStack()

    def open(self) -> str:
        """Serve it, and return its address."""
        return self._stack.enter_context(serving(self._platform.app()))

    def close(self) -> None:
        self._stack.close()

    def get(self, path: str) -> Any:
        """Return a copy of what it keeps, such as `sent`."""
        return attrgetter(path)(self._platform)

    def do(self, path: str, *arguments: Any) -> Any:
        """Call a function of it, such as `script.then`."""
        return attrgetter(path)(self._platform)(*arguments)


class _Manager(BaseManager):
    pass


_Manager.register("Stage", Stage)


@contextmanager
def apart(kind: Callable[[], Any]) -> Iterator[tuple[Stage, str]]:
    """Run a platform in another process, and give it and its address."""
    with _Manager(ctx=get_context("spawn")) as manager:
        stage: Stage = manager.Stage(kind)  # type: ignore[attr-defined]
        try:
            yield stage, stage.open()
        finally:
            stage.close()
