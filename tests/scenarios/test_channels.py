"""A channel's message is answered once, whatever becomes of the program meanwhile."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.connectors.platforms import slack, wecom, wecom_bot
from tests.connectors.platforms.misbehaviour import down
from tests.connectors.platforms.process import Stage, apart
from tests.connectors.platforms.slack import FakeSlack
from tests.connectors.platforms.wecom import FakeWecom
from tests.connectors.platforms.wecom_bot import Socket
from tests.connectors.platforms.wecom_kf import FakeKf
from tests.postgres import PostgresServer
from tests.scenarios.conftest import SHOP, Served, run, served

NO_MODELS = {"FRONTDESK_MODELS__CHAT": "", "FRONTDESK_MODELS__EMBEDDING": "none.gguf"}
KEYS = {"CORP_ID": wecom.CORP, "SECRET": wecom.SECRET, "TOKEN": wecom.TOKEN, "AES_KEY": wecom.AES_KEY}
QUESTION = "怎么开发票"
BUSY = -1
"""What WeCom says when it is; it may be asked again soon."""


@dataclass
class Platform:
    """A platform in another process; `deliver` has the customer's one message delivered, acknowledged or not."""

    stage: Stage
    settings: dict[str, str]
    deliver: Callable[[str], None]
    sent: str
    """Where it keeps what customers were sent."""

    troubles: str
    """Its script of what it does instead of taking an answer."""


@contextmanager
def wecom_app() -> Iterator[Platform]:
    with apart(FakeWecom) as (stage, api):
        sealed = wecom.seal(stage.do("message", QUESTION))
        settings = {"KIND": "wecom", **KEYS, "AGENT_ID": str(wecom.AGENT), "API": api}
        yield Platform(stage, settings, lambda url: call_back(url, *sealed), "sent", "script")


@contextmanager
def wecom_kf() -> Iterator[Platform]:
    with apart(FakeKf) as (stage, api):
        stage.do("customer_writes", QUESTION)
        settings = {"KIND": "wecom_kf", **KEYS, "API": api}
        yield Platform(stage, settings, lambda url: call_back(url, *wecom.seal(stage.do("notice"))), "sent", "sending")


@contextmanager
def slack_events() -> Iterator[Platform]:
    with apart(FakeSlack) as (stage, address):
        settings = {"KIND": "slack", "BOT_TOKEN": slack.TOKEN, "SIGNING_SECRET": slack.SECRET, "API": f"{address}/api/"}
        event = stage.do("says", QUESTION)

        def deliver(url: str) -> None:
            assert FakeSlack(bot=url.removesuffix("/channels/slack")).deliver(event).status_code == 200

        yield Platform(stage, settings, deliver, "messages", "script")


def call_back(url: str, query: dict[str, str], body: str) -> None:
    assert wecom.call_back(f"{url}/callback", query, body) == [200]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
@pytest.mark.parametrize(("name", "joined"), [("wecom", wecom_app), ("wecom_kf", wecom_kf), ("slack", slack_events)])
def test_what_was_acknowledged_is_answered_once_after_the_restart(
    home: Path, how: signal.Signals, name: str, joined: Callable[[], Iterator[Platform]]
) -> None:
    with joined() as platform:  # type: ignore[attr-defined]
        settings = {f"FRONTDESK_CHANNELS__{name.upper()}__{key}": value for key, value in platform.settings.items()}
        platform.stage.do(f"{platform.troubles}.then", *[down] * 1_000)  # nothing gets out before the end
        with served(home, **NO_MODELS, **settings) as server:
            platform.deliver(f"{server.url}/channels/{name}")
            server.stop(how)
        platform.stage.do(f"{platform.troubles}.troubles.clear")
        assert platform.stage.get(platform.sent) == []
        with served(home, **NO_MODELS, **settings) as server:
            until(lambda: platform.stage.get(platform.sent))
            platform.deliver(f"{server.url}/channels/{name}")  # the platform tries again too
            time.sleep(3)
        [answer] = platform.stage.get(platform.sent)
    assert "发票" in str(answer)


@contextmanager
def two_replicas(homes: Path, server: PostgresServer, name: str, keys: dict[str, str]) -> Iterator[list[Served]]:
    """Run two servers with one database and the same channel."""
    channel = {f"FRONTDESK_CHANNELS__{name.upper()}__{key}": value for key, value in keys.items()}
    with server.database() as url, ExitStack() as stack:
        settings = {"FRONTDESK_DATABASE_URL": url, **NO_MODELS, **channel}
        folders = [homes / each for each in ("one", "other")]
        for folder in folders:
            folder.mkdir()
        imported = run(folders[0], "faq", "import", str(SHOP), "--kb", "shop", **settings)
        assert imported.returncode == 0, imported.stderr
        yield [stack.enter_context(served(folder, **settings)) for folder in folders]


def the_answer(platform: Platform) -> str:
    """Return the one answer that the customer gets, after waiting for another."""
    until(lambda: platform.stage.get(platform.sent))
    time.sleep(3)
    [answer] = platform.stage.get(platform.sent)
    return str(answer)


shared_channels = pytest.mark.parametrize(("name", "joined"), [("wecom_kf", wecom_kf), ("slack", slack_events)])


@shared_channels
def test_of_two_replicas_one_answers_and_if_it_dies_the_other(
    tmp_path: Path, postgres_server: PostgresServer, name: str, joined: Callable[[], Iterator[Platform]]
) -> None:
    with joined() as platform, two_replicas(tmp_path, postgres_server, name, platform.settings) as (one, other):  # type: ignore[attr-defined]
        platform.stage.do(f"{platform.troubles}.then", *[down] * 1_000)
        platform.deliver(f"{one.url}/channels/{name}")
        one.stop(signal.SIGKILL)
        platform.deliver(f"{other.url}/channels/{name}")  # the platform tries again, and is sent on to the other
        platform.stage.do(f"{platform.troubles}.troubles.clear")
        assert "发票" in the_answer(platform)


@shared_channels
def test_a_message_that_reaches_both_replicas_is_answered_once(
    tmp_path: Path, postgres_server: PostgresServer, name: str, joined: Callable[[], Iterator[Platform]]
) -> None:
    with joined() as platform, two_replicas(tmp_path, postgres_server, name, platform.settings) as replicas:  # type: ignore[attr-defined]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda server: platform.deliver(f"{server.url}/channels/{name}"), replicas * 2))
        assert "发票" in the_answer(platform)


def test_the_one_connection_is_taken_over_when_its_replica_dies(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    socket = Socket(refuse={"aibot_respond_msg": BUSY, "aibot_send_msg": BUSY})
    with socket.serving() as url:
        keys = {"KIND": "wecom_bot", "BOT_ID": wecom_bot.BOT, "SECRET": wecom_bot.SECRET, "URL": url}
        with two_replicas(tmp_path, postgres_server, "wecom_bot", keys) as (one, _other):
            request = socket.send(wecom_bot.message(QUESTION))
            socket.wait(lambda: any(frame["cmd"] == "aibot_respond_msg" for frame in socket.frames))
            assert socket.subscribed == 1
            one.stop(signal.SIGKILL)
            socket.refuse.clear()
            assert "发票" in socket.reply_to(request)  # the other's, once the dead one's lease is over
            assert "发票" in socket.reply_to(socket.send(wecom_bot.message(QUESTION)))
            assert (socket.subscribed, socket.pushed) == (2, [])


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)
