from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from rasa_sdk import Action

from bot.actions.local import LocalActions, actions_in
from bot.errors import SettingsError
from tests.bot.actions.company import write_actions
from tests.bot.actions.contract import DOMAIN, ActionRunnerContract, tracker


@pytest_asyncio.fixture
async def runner(tmp_path: Path) -> AsyncIterator[LocalActions]:
    actions = LocalActions(actions_in(write_actions(tmp_path)))
    yield actions
    await actions.close()


class TestLocalActions(ActionRunnerContract):
    """Actions in this process."""


def test_a_folder_gives_its_own_actions_and_no_others(tmp_path: Path) -> None:
    first, second = (actions_in(write_actions(tmp_path)) for _ in range(2))
    assert len(first) == len(second) == 13
    assert not set(first) & set(second)


def test_a_single_file_will_do(tmp_path: Path) -> None:
    (tmp_path / "single_actions.py").write_text(
        "from rasa_sdk import Action\nclass One(Action):\n    def name(self): return 'action_one'\n"
    )
    assert [each.__name__ for each in actions_in(tmp_path / "single_actions.py")] == ["One"]


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("broken_syntax.py", "def", "SyntaxError"),
        ("broken_import.py", "import there_is_no_such_module", "there_is_no_such_module"),
        ("broken_exit.py", "raise OSError('no network')", "no network"),
        ("not-a-name.py", "", "cannot be the name of a Python package"),
    ],
)
def test_a_folder_of_no_use_is_said(tmp_path: Path, name: str, source: str, said: str) -> None:
    (tmp_path / name).write_text(source)
    with pytest.raises(SettingsError, match=said):
        actions_in(tmp_path / name)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        actions_in(tmp_path / "nowhere")


def test_an_action_that_cannot_be_made_is_said() -> None:
    class NeedsMore(Action):
        def __init__(self, more: str) -> None: ...

    with pytest.raises(SettingsError, match="NeedsMore"):
        LocalActions([NeedsMore])


async def test_actions_that_block_do_not_block_us_nor_one_another(tmp_path: Path) -> None:
    entered = threading.Barrier(3)

    class Blocks(Action):
        def name(self) -> str:
            return "action_blocks"

        def run(self, dispatcher, tracker, domain):  # type: ignore[no-untyped-def]
            entered.wait(20)
            return []

    actions = LocalActions([Blocks])
    both = [asyncio.create_task(actions.run("action_blocks", tracker(), DOMAIN)) for _ in range(2)]
    await asyncio.to_thread(entered.wait, 20)  # both are inside at once, and we are still here
    assert [result.responses for result in await asyncio.gather(*both)] == [[], []]
    await actions.close()


async def test_closing_does_not_wait_for_an_action_that_hangs(tmp_path: Path) -> None:
    actions = LocalActions(actions_in(write_actions(tmp_path)))
    hanging = asyncio.create_task(actions.run("action_sleeps", tracker(), DOMAIN))
    await asyncio.sleep(0.1)
    hanging.cancel()
    begun = time.monotonic()
    await actions.close()
    assert time.monotonic() - begun < 2.5  # the action would take 3 seconds
    await asyncio.to_thread(actions._thread.join, 10)
    actions._loop.close()
