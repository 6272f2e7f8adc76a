"""The shipped contract, held against the connectors that are called by their platform."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from wechatpy.enterprise.crypto import PrpCrypto
from wechatpy.utils import WeChatSigner

from connectors.base import Connector
from connectors.chatwoot import Chatwoot
from connectors.contract import ConnectorContract, RecordingHost
from connectors.rasa import rest
from connectors.rasa.callback import RasaCallback
from connectors.rasa.rest import RasaRest
from connectors.slack.app import Slack
from connectors.webhook import SIGNATURE, TIMESTAMP, WebhookChannel, sign
from connectors.wecom import aibot_webhook
from connectors.wecom.aibot_socket import WecomBot
from connectors.wecom.aibot_webhook import WecomBotWebhook
from connectors.wecom.app import WecomApp
from connectors.wecom.kf import WecomKf
from tests.bot.servers import serving
from tests.connectors.platforms import slack, wecom, wecom_bot
from tests.connectors.platforms.slack import FakeSlack
from tests.connectors.platforms.wecom_bot import Socket
from tests.connectors.platforms.wecom_kf import FakeKf, shown

AWAY = "http://127.0.0.1:9"
SECRET = "a-long-enough-secret"


class TestWebhook(ConnectorContract):
    connector_class = WebhookChannel
    settings: ClassVar = {"secret": SECRET, "url": f"{AWAY}/hear"}
    required = ("secret", "url")
    secrets = (SECRET,)

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        body = json.dumps({"id": message_id, "thread": "ann", "text": text}).encode()
        now = str(int(time.time()))
        headers = {TIMESTAMP: now, SIGNATURE: sign(SECRET, now, body)}
        return await client.post(f"{self.path}/messages", content=body, headers=headers)


class TestChatwoot(ConnectorContract):
    connector_class = Chatwoot
    settings: ClassVar = {"url": AWAY, "account": 1, "access_token": "b0t-token", "token": SECRET}
    required = ("url", "account", "access_token", "token")
    secrets = ("b0t-token", SECRET)

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        event = {"event": "message_created", "message_type": "incoming", "id": message_id, "content": text}
        event |= {"conversation": {"id": 7, "status": "pending"}}  # type: ignore[dict-item]
        return await client.post(f"{self.path}/webhook", params={"token": SECRET}, json=event)


class TestWecom(ConnectorContract):
    connector_class = WecomApp
    settings: ClassVar = {
        "corp_id": wecom.CORP,
        "agent_id": wecom.AGENT,
        "secret": wecom.SECRET,
        "token": wecom.TOKEN,
        "aes_key": wecom.AES_KEY,
        "api": AWAY,
    }
    required = ("corp_id", "agent_id", "secret", "token", "aes_key")
    secrets = (wecom.SECRET, wecom.TOKEN, wecom.AES_KEY)

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        message = {"ToUserName": wecom.CORP, "FromUserName": "li", "MsgType": "text", "Content": text}
        query, body = wecom.seal(message | {"MsgId": message_id, "CreateTime": "1"})
        return await client.post(f"{self.path}/callback", params=query, content=body)

    def fits(self, message: Mapping[str, Any]) -> bool:
        return len(message["text"]["content"].encode()) <= wecom.MAX_TEXT_BYTES


class TestWecomBotWebhook(ConnectorContract):
    connector_class = WecomBotWebhook
    settings: ClassVar = {"token": wecom.TOKEN, "aes_key": wecom.AES_KEY}
    required = ("token", "aes_key")
    secrets = (wecom.TOKEN, wecom.AES_KEY)

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(aibot_webhook, "FIRST_SECONDS", 0.05)
        monkeypatch.setattr(aibot_webhook, "FETCHED_WITHIN_SECONDS", 0.05)

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        message = wecom_bot.message(text) | {"msgid": message_id, "response_url": f"{AWAY}/response/1"}
        encrypted = PrpCrypto(aes_key()).encrypt(json.dumps(message), "").decode()
        signer, now = WeChatSigner(), str(int(time.time()))
        signer.add_data(wecom.TOKEN, now, "n", encrypted)
        query = {"msg_signature": signer.signature, "timestamp": now, "nonce": "n"}
        return await client.post(f"{self.path}/callback", params=query, json={"encrypt": encrypted})

    def fits(self, message: Mapping[str, Any]) -> bool:
        return len(message["markdown"]["content"].encode()) <= 20_480


class TestSlack(ConnectorContract):
    """With a workspace that is there, since the bot asks it who it is before it hears anything."""

    connector_class = Slack

    @pytest.fixture(autouse=True)
    def _workspace(self) -> Iterator[None]:
        self.workspace = FakeSlack()
        with serving(self.workspace.app()) as address:
            self.settings = {"bot_token": slack.TOKEN, "signing_secret": slack.SECRET, "api": f"{address}/api/"}  # type: ignore[misc]
            yield

    def check_delivered(self, connector: Connector, host: RecordingHost) -> None:
        assert len(self.workspace.shown(1)) == 1

    required = ("bot_token",)
    secrets = (slack.TOKEN, slack.SECRET)

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        event = {
            "type": "message",
            "channel_type": "im",
            "channel": slack.DIRECT,
            "user": "UA",
            "ts": "1.0",
            "text": text,
        }
        whose = [{"team_id": "T1", "user_id": slack.BOT_USER, "is_bot": True}]
        envelope = {"type": "event_callback", "event_id": message_id, "event": event, "authorizations": whose}
        body, now = json.dumps(envelope | {"team_id": "T1", "api_app_id": "A1"}), str(int(time.time()))
        signature = SignatureVerifier(slack.SECRET).generate_signature(timestamp=now, body=body)
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": str(signature)}
        headers["Content-Type"] = "application/json"
        return await client.post(f"{self.path}/events", content=body, headers=headers)

    def fits(self, message: Mapping[str, Any]) -> bool:
        return len(self.text_in(message).encode()) <= 12_000

    def text_in(self, message: Mapping[str, Any]) -> str:
        texts = [block["text"] for block in message["blocks"] if block["type"] == "markdown"]
        return "".join(texts) + "".join(slack.labels_of(message))


class TestWecomKf(ConnectorContract):
    """With an account that is there, since a notice only has its messages fetched."""

    connector_class = WecomKf
    required = ("corp_id", "secret", "token", "aes_key")
    secrets = (wecom.SECRET, wecom.TOKEN, wecom.AES_KEY)

    @pytest.fixture(autouse=True)
    def _account(self) -> Iterator[None]:
        self.account = FakeKf()
        keys = {"corp_id": wecom.CORP, "secret": wecom.SECRET, "token": wecom.TOKEN, "aes_key": wecom.AES_KEY}
        with serving(self.account.app()) as api:
            self.settings = {**keys, "api": api}  # type: ignore[misc]
            yield

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        self.account.customer_writes(text)
        self.account.log[-1]["msgid"] = message_id
        query, body = wecom.seal(self.account.notice())
        reply = await client.post(f"{self.path}/callback", params=query, content=body)
        await until(lambda: message_id in self.host.taken)
        return reply

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[tuple[Connector, RecordingHost, httpx.AsyncClient]]:
        async with super().joined() as (connector, self.host, client):
            yield connector, self.host, client

    def fits(self, message: Mapping[str, Any]) -> bool:
        return len(self.text_in(message).encode()) <= wecom.MAX_TEXT_BYTES

    def text_in(self, message: Mapping[str, Any]) -> str:
        return shown(dict(message))

    def check_delivered(self, connector: Connector, host: RecordingHost) -> None:
        assert self.account.wait_for(1) == ["好的"]


class TestWecomBot(ConnectorContract):
    """With a WeCom that is there, since messages come over a connection that the bot opens."""

    connector_class = WecomBot
    required = ("bot_id", "secret")
    secrets = (wecom_bot.SECRET,)

    @pytest.fixture(autouse=True)
    def _socket(self) -> Iterator[None]:
        self.socket = Socket()
        with self.socket.serving() as url:
            self.settings = {"bot_id": wecom_bot.BOT, "secret": wecom_bot.SECRET, "url": url}  # type: ignore[misc]
            yield

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        message = wecom_bot.message(text) | {"msgid": message_id}
        await asyncio.to_thread(self.socket.send, message)
        welcome = await asyncio.to_thread(self.socket.send, wecom_bot.event("enter_chat"))
        await asyncio.to_thread(self.socket.wait, lambda: welcome in self.socket.shown)  # so the first was read too
        return httpx.Response(200)

    def fits(self, message: Mapping[str, Any]) -> bool:
        return len(message["markdown"]["content"].encode()) <= 20_480

    def check_delivered(self, connector: Connector, host: RecordingHost) -> None:
        assert [each["content"] for each in self.socket.shown.values() if "content" in each] == ["好的"]


class OfRasa(ConnectorContract):
    """Rasa's messages have no identifiers, so that none is known again."""

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        return await client.post("/webhooks/contract/webhook", json={"sender": "ann", "message": text})

    test_the_same_message_four_times_is_one = None  # type: ignore[assignment]


class TestRasaRest(OfRasa):
    connector_class = RasaRest
    settings: ClassVar = {"token": ""}

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rest, "WAIT_SECONDS", 0.05)

    def check_delivered(self, connector: Connector, host: RecordingHost) -> None:
        assert json.loads(host.memory.kept["kept:ann"]) == [{"recipient_id": "ann", "text": "好的"}]


class TestRasaCallback(OfRasa):
    connector_class = RasaCallback
    settings: ClassVar = {"url": f"{AWAY}/messages"}
    required = ("url",)


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not happened():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def aes_key() -> bytes:
    return base64.b64decode(wecom.AES_KEY + "=")
