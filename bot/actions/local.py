"""Running actions in this process, through rasa-sdk's executor: on a thread of their own, so that none can block us.

Most actions written for Rasa wait for the network with blocking calls; there they only wait for themselves.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection
from rasa_sdk.utils import all_subclasses

from bot.actions.base import ActionResult
from bot.errors import ActionDeclined, ActionError, SettingsError

MAX_BLOCKING = 16
"""So many actions may block a thread each; more wait for one of these."""


def actions_in(folder: Path) -> list[type[Action]]:
    """Import a folder, or a file, of actions, and return what it defines; raises SettingsError."""
    folder = folder.expanduser().resolve()
    if not folder.exists():
        raise SettingsError(f"actions.folder: {folder} does not exist")
    if not folder.stem.isidentifier():
        raise SettingsError(f"actions.folder: {folder.name!r} cannot be the name of a Python package")
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    try:
        modules = {module.__name__ for module in _import(folder.stem)}
    except Exception as error:  # whatever their code does when it is imported, we run on without it
        raise SettingsError(f"actions.folder: {folder} cannot be imported: {type(error).__name__}: {error}") from error
    found = [each for each in all_subclasses(Action) if each.__module__ in modules and not inspect.isabstract(each)]
    return sorted(found, key=lambda each: each.__name__)


def _import(name: str) -> Iterator[ModuleType]:
    module = importlib.import_module(name)
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
        yield importlib.import_module(found.name)


def make_executor(actions: Iterable[Action | type[Action]]) -> ActionExecutor:
    """Return rasa-sdk's executor of some actions; raises SettingsError."""
    executor = ActionExecutor()
    for action in actions:
        try:
            executor.register_action(action)
        except Exception as error:
            raise SettingsError(f"the action {action} cannot be made: {type(error).__name__}: {error}") from error
    return executor


class LocalActions:
    """Runs actions here."""

    def __init__(self, actions: Iterable[Action | type[Action]]) -> None:
        """Start the thread; raises SettingsError."""
        self._executor = make_executor(actions)
        self._blocking = asyncio.Semaphore(MAX_BLOCKING)
        for name, run in self._executor.actions.items():
            if not inspect.iscoroutinefunction(run):
                self._executor.register_function(name, self._unblocked(run))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="frontdesk-actions", daemon=True)
        self._thread.start()

    @property
    def names(self) -> list[str]:
        """The actions that are here."""
        return sorted(self._executor.actions)

    def offers(self, name: str) -> bool:
        """Say whether there is such an action here."""
        return name in self._executor.actions

    async def run(self, name: str, tracker: Mapping[str, Any], domain: Mapping[str, Any]) -> ActionResult:
        """Run an action; raises ActionError, ActionDeclined."""
        call = {"next_action": name, "tracker": dict(tracker), "domain": dict(domain), "sender_id": ""}
        running = asyncio.run_coroutine_threadsafe(self._executor.run(call), self._loop)
        try:
            result = await asyncio.wrap_future(running)
        except ActionExecutionRejection as error:
            raise ActionDeclined(str(error)) from error
        except Exception as error:  # whatever their code raises
            raise ActionError(f"the action {name} failed: {type(error).__name__}: {error}") from error
        return ActionResult(result.events if result else [], result.responses if result else [])

    async def close(self) -> None:
        """End the thread; an action that still blocks is left to itself."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, 1)
        if not self._thread.is_alive():
            self._loop.close()

    def _unblocked(self, run: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Run a function that may block in a thread of its own; it may also return something to be awaited."""

        async def run_elsewhere(dispatcher: Any, tracker: Any, domain: Any) -> Any:
            await self._blocking.acquire()
            loop = asyncio.get_running_loop()
            done: asyncio.Future[Any] = loop.create_future()

            def tell(result: Any, error: BaseException | None) -> None:
                self._blocking.release()
                if done.cancelled():
                    return
                done.set_exception(error) if error else done.set_result(result)

            def work() -> None:
                result, failure = None, None
                try:
                    result = run(dispatcher, tracker, domain)
                except BaseException as error:
                    failure = error
                if not loop.is_closed():
                    loop.call_soon_threadsafe(partial(tell, result, failure))

            threading.Thread(target=work, name="frontdesk-action", daemon=True).start()
            result = await done
            return await result if inspect.isawaitable(result) else result

        return run_elsewhere
