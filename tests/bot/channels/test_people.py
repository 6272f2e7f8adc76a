"""Calling people: each adapter is told once of each call, whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from bot.channels import people
from bot.channels.people import PeopleCaller
from bot.errors import SendFailed
from bot.handoff import HandoffDesk
from bot.question import Question
from bot.sections import HandoffSettings
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.handoffs import HandoffStore
from bot.store.inbox import InboxStore
from connectors.base import Call, HandoffAdapter
from tests.bot.servers import serving, unused_port


class Webhook:
    """Takes notices; answers with the statuses it was given, then with 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.requests.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        status = self.statuses.pop(0) if self.statuses else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Pager(HandoffAdapter):
    """Keeps what it is told; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[Call] = []
        self.forwarded: list[str] = []
        self.failures = failures

    async def call(self, call: Call) -> None:
        self._fail()
        self.calls.append(call)

    async def forward(self, conversation_id: str, text: str) -> None:
        self._fail()
        self.forwarded.append(text)

    async def check(self) -> str:
        return "pager"

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise SendFailed("away", 0.01)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Webhook, str]]:
    webhook = Webhook()
    with serving(webhook) as address:
        yield webhook, address


@pytest.fixture
def webhook(server: tuple[Webhook, str]) -> tuple[Webhook, str]:
    server[0].statuses.clear()
    server[0].requests.clear()
    return server


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "DELAYS_SECONDS", (0.01,))
    monkeypatch.setattr("bot.live.RECHECK_SECONDS", 0.05)


def desk_of(conversations: ConversationStore, **settings: object) -> HandoffDesk:
    return HandoffDesk(HandoffSettings(**settings), conversations)  # type: ignore[arg-type]


@asynccontextmanager
async def calling(database: Database, desk: HandoffDesk, **adapters: HandoffAdapter) -> AsyncIterator[None]:
    task = asyncio.create_task(PeopleCaller(adapters, HandoffStore(database), desk).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(happened) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def conversation(store: ConversationStore, *texts: str) -> str:
    identifier: str | None = None
    for text in texts:
        identifier = (await store.begin(Question(text=text, conversation_id=identifier))).conversation_id
    assert identifier is not None
    return identifier


async def test_a_call_reaches_the_webhook_signed(
    conversations: ConversationStore, database: Database, webhook: tuple[Webhook, str]
) -> None:
    hook, address = webhook
    desk = desk_of(conversations, webhook_url=address, webhook_secret=SecretStr("hunter2"))
    identifier = await conversation(conversations, "怎么退货？😀", "转人工")
    async with calling(database, desk):
        await desk.call(identifier, "asked")
        await until(lambda: hook.requests)
        await asyncio.sleep(0.2)
    ((headers, body),) = hook.requests
    assert headers["x-frontdesk-signature"] == hmac.new(b"hunter2", body, hashlib.sha256).hexdigest()
    assert json.loads(body) == {
        "event": "handoff",
        "conversation_id": identifier,
        "channel": "api",
        "reason": "asked",
        "summary": "怎么退货？😀 / 转人工",
        "transcript": [{"role": "customer", "text": "怎么退货？😀"}, {"role": "customer", "text": "转人工"}],
    }


async def test_without_a_secret_there_is_no_signature(
    conversations: ConversationStore, database: Database, webhook: tuple[Webhook, str]
) -> None:
    hook, address = webhook
    desk = desk_of(conversations, webhook_url=address)
    async with calling(database, desk):
        await desk.call(await conversation(conversations, "转人工"), "asked")
        await until(lambda: hook.requests)
    assert "x-frontdesk-signature" not in hook.requests[0][0]


async def test_a_webhook_that_failed_is_called_again_with_the_same(
    conversations: ConversationStore, database: Database, webhook: tuple[Webhook, str]
) -> None:
    hook, address = webhook
    hook.statuses += [500, 404]
    desk = desk_of(conversations, webhook_url=address)
    async with calling(database, desk):
        await desk.call(await conversation(conversations, "转人工"), "asked")
        await until(lambda: len(hook.requests) == 3)
        await asyncio.sleep(0.2)
    assert len({body for _, body in hook.requests}) == 1
    assert len(hook.requests) == 3


async def test_an_adapter_that_cannot_be_reached_does_not_stop_the_others(
    conversations: ConversationStore, database: Database
) -> None:
    pager = Pager()
    desk = desk_of(conversations, webhook_url=f"http://127.0.0.1:{unused_port()}/")
    async with calling(database, desk, pager=pager):
        await desk.call(await conversation(conversations, "转人工"), "asked")
        await until(lambda: pager.calls)


async def test_a_call_made_while_nobody_was_there_is_told_later_once(
    conversations: ConversationStore, database: Database
) -> None:
    desk, pager = desk_of(conversations), Pager(failures=2)
    await desk.call(await conversation(conversations, "我的电话13800138000"), "asked")
    async with calling(database, desk, pager=pager), asyncio.timeout(10):
        while not [call for call in await HandoffStore(database).open_calls() if call.told]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    async with calling(database, desk, pager=pager):
        await asyncio.sleep(0.2)
    [call] = pager.calls
    assert (call.summary, call.transcript[0].text) == ("我的电话[phone]", "我的电话[phone]")


async def test_what_the_customer_writes_meanwhile_is_forwarded_in_order_until_people_are_done(
    conversations: ConversationStore, database: Database
) -> None:
    desk, pager, inbox = desk_of(conversations), Pager(), InboxStore(database)
    identifier = await conversation(conversations, "转人工")
    async with calling(database, desk, pager=pager):
        await desk.call(identifier, "asked")
        await until(lambda: pager.calls)
        pager.failures = 1
        for text in ("订单 1", "电话13800138000"):
            await conversations.begin(Question(text=text, conversation_id=identifier))
        desk.changes.tell(identifier)
        await until(lambda: len(pager.forwarded) == 2)
        await inbox.release(identifier, "Olga", "bot")
        await conversations.begin(Question(text="怎么退货？", conversation_id=identifier))
        desk.changes.tell(identifier)
        await asyncio.sleep(0.2)
        await desk.call(identifier, "asked")
        await until(lambda: len(pager.calls) == 2)
    assert pager.forwarded == ["订单 1", "电话13800138000"]
