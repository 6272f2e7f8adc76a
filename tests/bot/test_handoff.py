from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import select

import bot.handoff
from bot.errors import NotFound
from bot.handoff import HandoffDesk, summarise
from bot.question import Message, Question
from bot.settings import HandoffSettings
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.tables import HandoffRow
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


async def conversation(store: ConversationStore, *texts: str) -> str:
    identifier: str | None = None
    for text in texts:
        identifier = (await store.begin(Question(text=text, conversation_id=identifier))).conversation_id
    assert identifier is not None
    return identifier


async def notified(database: Database) -> list[bool]:
    async with database.transaction() as session:
        return list(await session.scalars(select(HandoffRow.notified)))


async def test_a_call_reaches_the_webhook_signed(
    conversations: ConversationStore, database: Database, webhook: tuple[Webhook, str]
) -> None:
    hook, address = webhook
    desk = HandoffDesk(HandoffSettings(webhook_url=address, webhook_secret=SecretStr("hunter2")), conversations)
    identifier = await conversation(conversations, "怎么退货？😀", "转人工")
    await desk.call(identifier, "asked")
    await desk.close()
    ((headers, body),) = hook.requests
    assert headers["x-frontdesk-signature"] == hmac.new(b"hunter2", body, hashlib.sha256).hexdigest()
    assert json.loads(body) == {
        "event": "handoff",
        "conversation_id": identifier,
        "reason": "asked",
        "summary": "怎么退货？😀 / 转人工",
        "transcript": [{"role": "customer", "text": "怎么退货？😀"}, {"role": "customer", "text": "转人工"}],
    }
    assert await notified(database) == [True]


async def test_without_a_secret_there_is_no_signature(
    conversations: ConversationStore, webhook: tuple[Webhook, str]
) -> None:
    hook, address = webhook
    desk = HandoffDesk(HandoffSettings(webhook_url=address), conversations)
    await desk.call(await conversation(conversations, "转人工"), "asked")
    await desk.close()
    assert "x-frontdesk-signature" not in hook.requests[0][0]


async def test_a_second_call_tells_nobody(conversations: ConversationStore, webhook: tuple[Webhook, str]) -> None:
    hook, address = webhook
    desk = HandoffDesk(HandoffSettings(webhook_url=address), conversations)
    identifier = await conversation(conversations, "转人工")
    await desk.call(identifier, "asked")
    await desk.call(identifier, "asked")
    await desk.close()
    assert len(hook.requests) == 1


async def test_a_notice_that_failed_is_sent_again(
    conversations: ConversationStore, database: Database, webhook: tuple[Webhook, str]
) -> None:
    hook, address = webhook
    hook.statuses.append(500)
    desk = HandoffDesk(HandoffSettings(webhook_url=address), conversations)
    await desk.call(await conversation(conversations, "转人工"), "asked")
    await desk.close()
    assert len(hook.requests) == 2
    assert hook.requests[0][1] == hook.requests[1][1]
    assert await notified(database) == [True]


async def test_a_webhook_that_cannot_be_reached_does_not_stop_the_handoff(
    conversations: ConversationStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.handoff, "ATTEMPTS", 1)
    desk = HandoffDesk(HandoffSettings(webhook_url=f"http://127.0.0.1:{unused_port()}/"), conversations)
    await desk.call(await conversation(conversations, "转人工"), "asked")
    await desk.close()
    assert await notified(database) == [False]


async def test_without_a_webhook_the_call_is_kept(conversations: ConversationStore, database: Database) -> None:
    desk = HandoffDesk(HandoffSettings(), conversations)
    await desk.call(await conversation(conversations, "转人工"), "asked")
    assert await notified(database) == [False]


async def test_calling_for_an_unknown_conversation_is_not_found(conversations: ConversationStore) -> None:
    with pytest.raises(NotFound):
        await HandoffDesk(HandoffSettings(), conversations).call("absent", "asked")


def test_a_summary_is_the_customers_last_questions_masked() -> None:
    said = [Message("customer", str(number)) for number in range(4)]
    transcript = [*said, Message("bot", "不算"), Message("customer", "我是13800138000")]
    assert summarise(transcript) == "2 / 3 / 我是[phone]"
