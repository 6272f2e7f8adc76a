"""A company's own actions, as a folder that the tests write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from tests.bot.servers import unused_port

SOURCE = '''
import time

from rasa_sdk import Action
from rasa_sdk.events import (
    ActiveLoop, AllSlotsReset, ConversationPaused, ConversationResumed, FollowupAction, Restarted, SlotSet,
)
from rasa_sdk.interfaces import ActionExecutionRejection


class Hello(Action):
    """Most actions are written like this: not async."""

    def name(self):
        return "action_hello"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"Hello, {tracker.get_slot('name') or 'you'}!")
        return [SlotSet("greeted", True)]


class Shown(Action):
    def name(self):
        return "action_shown"

    async def run(self, dispatcher, tracker, domain):
        said = [(event["event"], event.get("text")) for event in tracker.events if event["event"] in ("user", "bot")]
        dispatcher.utter_message(text=repr({
            "sender": tracker.sender_id, "slots": tracker.slots, "text": tracker.latest_message["text"],
            "intent": tracker.latest_message["intent"]["name"], "said": said, "loop": tracker.active_loop_name,
            "channel": tracker.get_latest_input_channel(), "last": tracker.latest_action_name,
            "responses": sorted(domain["responses"]),
        }))
        return []


class Streams(Action):
    def name(self):
        return "action_streams"

    async def run(self, dispatcher, tracker, domain):
        for word in ("one", "two"):
            await dispatcher.stream_chunk(text=word)
        return []


class AsksName(Action):
    def name(self):
        return "action_ask_name"

    def run(self, dispatcher, tracker, domain):
        if tracker.get_slot("requested_slot") != "name":
            dispatcher.utter_message(text="What is your name?", buttons=[{"title": "Ann", "payload": "/name"}])
            return [SlotSet("requested_slot", "name")]
        if "never mind" in tracker.latest_message["text"]:
            raise ActionExecutionRejection("action_ask_name")
        return [SlotSet("name", tracker.latest_message["text"]), SlotSet("requested_slot", None),
                FollowupAction("action_hello")]


class Loops(Action):
    def name(self):
        return "action_loop"

    def run(self, dispatcher, tracker, domain):
        if tracker.active_loop_name == "action_loop":
            dispatcher.utter_message(text="out")
            return [ActiveLoop(None)]
        dispatcher.utter_message(text="in")
        return [ActiveLoop("action_loop")]


class Circles(Action):
    def name(self):
        return "action_circle"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="round")
        return [FollowupAction("action_circle")]


class Resets(Action):
    def name(self):
        return "action_reset"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="forgotten")
        return [AllSlotsReset() if "slots" in tracker.latest_message["text"] else Restarted()]


class Pauses(Action):
    def name(self):
        return "action_pause"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="I will get somebody.")
        return [ConversationPaused()] + ([ConversationResumed()] if "no" in tracker.latest_message["text"] else [])


class Silent(Action):
    def name(self):
        return "action_silent"

    def run(self, dispatcher, tracker, domain):
        return [SlotSet("seen", True)]


class Declines(Action):
    def name(self):
        return "action_declines"

    def run(self, dispatcher, tracker, domain):
        raise ActionExecutionRejection("action_declines", "not for me")


class Breaks(Action):
    def name(self):
        return "action_breaks"

    def run(self, dispatcher, tracker, domain):
        raise RuntimeError("the order system is away")


class Sleeps(Action):
    """Blocks, in an async function too, as many do."""

    def name(self):
        return "action_sleeps"

    async def run(self, dispatcher, tracker, domain):
        time.sleep(3)
        return []


class Templates(Action):
    def name(self):
        return "action_template"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response="utter_weather", city="Hangzhou")
        return []
'''


def write_actions(folder: Path) -> Path:
    """Write the actions as a package that nothing else is called, and return its folder."""
    package = folder / f"company_{uuid4().hex}"
    package.mkdir()
    (package / "deeper").mkdir()
    (package / "__init__.py").write_text("")
    (package / "deeper" / "__init__.py").write_text("")
    (package / "deeper" / "shop.py").write_text(SOURCE)
    return package


@contextmanager
def action_server(package: Path) -> Iterator[str]:
    """Run rasa-sdk's own server, and give its address."""
    port = unused_port()
    environment = {**os.environ, "SANIC_HOST": "127.0.0.1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "rasa_sdk", "--actions", package.name, "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=package.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for_health(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}/webhook"
    finally:
        end_session(process)


def end_session(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session, and its workers: Sanic's stay when they are busy as the signal comes."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_health(address: str, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + 90
    while True:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)
