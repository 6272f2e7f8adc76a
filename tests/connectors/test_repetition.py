"""One message, delivered four times at the same moment while the model takes longer than a lease: one answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from bot.channels import dispatch
from bot.store import channels
from bot.store.channels import ChannelStore
from tests.bot.fakes import ScriptedModel, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors import test_chatwoot, test_webhook
from tests.connectors.platforms import slack, wecom, wecom_bot
from tests.connectors.platforms.recorder import Recorder
from tests.connectors.platforms.slack import FakeSlack
from tests.connectors.platforms.wecom import FakeWecom
from tests.connectors.platforms.wecom_bot import Callbacks, Socket
from tests.connectors.platforms.wecom_kf import FakeKf
from tests.connectors.test_chatwoot import FakeChatwoot
from tests.connectors.wecom.conftest import app_settings

QUESTION = "退货要几天内？"
KEYS = {"token": wecom.TOKEN, "aes_key": wecom.AES_KEY}


@dataclass
class Customer:
    """How a customer's one message is delivered on a channel, and how many answers they were given."""

    channel: str
    settings: dict[str, Any]
    prepare: Callable[[str], Callable[[], object]]
    """From the site's address to one delivery of the message; each is the same."""

    answers: Callable[[], int]


@contextmanager
def wecom_app() -> Iterator[Customer]:
    fake = FakeWecom()

    def prepare(address: str) -> Callable[[], object]:
        sealed = wecom.seal(fake.message(QUESTION))
        return lambda: wecom.call_back(f"{address}/channels/wecom/callback", *sealed)

    with serving(fake.app()) as api:
        yield Customer("wecom", app_settings(api), prepare, lambda: len(fake.sent))


@contextmanager
def wecom_kf() -> Iterator[Customer]:
    fake = FakeKf()

    def prepare(address: str) -> Callable[[], object]:
        fake.customer_writes(QUESTION)
        fake.log += [dict(fake.log[0])] * 3
        return lambda: wecom.call_back(f"{address}/channels/wecom_kf/callback", *wecom.seal(fake.notice()))

    with serving(fake.app()) as api:
        settings = {"corp_id": wecom.CORP, "secret": wecom.SECRET, **KEYS, "api": api}
        yield Customer("wecom_kf", settings, prepare, lambda: len(fake.sent))


@contextmanager
def wecom_bot_webhook() -> Iterator[Customer]:
    asked, ends = wecom_bot.message(QUESTION), set()

    def prepare(address: str) -> Callable[[], object]:
        def deliver() -> None:
            last = Callbacks(address).ask(asked)[-1]
            ends.add(last["content"])

        return deliver

    yield Customer("wecom_bot_webhook", dict(KEYS), prepare, lambda: len(ends))


@contextmanager
def wecom_bot_socket() -> Iterator[Customer]:
    socket, asked = Socket(), wecom_bot.message(QUESTION)
    with socket.serving() as url:
        settings = {"bot_id": wecom_bot.BOT, "secret": wecom_bot.SECRET, "url": url}
        yield Customer("wecom_bot", settings, lambda _: lambda: socket.send(asked), lambda: finished(socket))


def finished(socket: Socket) -> int:
    return len([shown for shown in socket.shown.values() if shown["finish"]]) + len(socket.pushed)


@contextmanager
def slack_events() -> Iterator[Customer]:
    fake = FakeSlack()

    def prepare(address: str) -> Callable[[], object]:
        fake.bot, event = address, fake.says(QUESTION)
        return lambda: fake.deliver(event)

    with serving(fake.app()) as fake.address:
        settings = {"bot_token": slack.TOKEN, "signing_secret": slack.SECRET, "api": f"{fake.address}/api/"}
        yield Customer("slack", settings, prepare, lambda: len(fake.messages))


@contextmanager
def signed_webhook() -> Iterator[Customer]:
    program, message = Recorder(), {"id": "m-1", "thread": "ann", "text": QUESTION}
    with serving(program.app()) as url:
        settings = {"secret": test_webhook.SECRET, "url": url}
        yield Customer(
            "webhook", settings, lambda at: lambda: test_webhook.post(at, message), lambda: len(program.posts)
        )


@contextmanager
def chatwoot() -> Iterator[Customer]:
    fake = FakeChatwoot()

    def prepare(address: str) -> Callable[[], object]:
        fake.bot, event = address, fake.message(QUESTION)
        return lambda: fake.hook(event)

    with serving(fake.app()) as url:
        keys = {"access_token": test_chatwoot.BOT_TOKEN, "token": test_chatwoot.OWN_TOKEN}
        yield Customer("chatwoot", {"url": url, "account": 3, **keys}, prepare, lambda: len(fake.written(0)))


class Pause(asyncio.Event):
    """Thinks for longer than two leases."""

    async def wait(self) -> bool:  # type: ignore[override]
        await asyncio.sleep(0.8)
        return True


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    renewed: list[int] = []
    renew = ChannelStore.renew

    async def counted(store: ChannelStore, received: Any) -> None:
        renewed.append(received.id)
        await renew(store, received)

    monkeypatch.setattr(ChannelStore, "renew", counted)
    for module in (channels, dispatch):
        monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.3))
    monkeypatch.setattr(dispatch, "POLL_SECONDS", 0.05)
    return renewed


@pytest.mark.parametrize(
    "joined", [wecom_app, wecom_kf, wecom_bot_webhook, wecom_bot_socket, slack_events, signed_webhook, chatwoot]
)
def test_one_message_delivered_four_times_is_answered_once(site: Site, renewals: list[int], joined: Any) -> None:
    site.knowledge = StubKnowledge(0.6)
    site.local = ScriptedModel(Pause(), "签收后7天内可以申请退货。")
    with ExitStack() as stack:
        customer = stack.enter_context(joined())
        site.settings = {"channels": {customer.channel: customer.settings}}
        address = stack.enter_context(site.served())
        deliver = customer.prepare(address)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: deliver(), range(4)))
        until(lambda: customer.answers() == 1)
        with site.owner(address) as owner:
            until(lambda: owner.get("/api/admin/channels").json()["channels"][0]["waiting"] == 0)
        time.sleep(0.5)  # a second answer would come now
        assert customer.answers() == 1
    assert len(site.local.prompts) == 1
    assert len(renewals) >= 3


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)
