"""The shipped contract, held against the connectors that are called by their platform."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from wechatpy.enterprise.crypto import PrpCrypto
from wechatpy.utils import WeChatSigner

from connectors.base import Connector
from connectors.chatwoot import Chatwoot
from connectors.contract import ConnectorContract, RecordingHost
from connectors.slack.app import Slack
from connectors.webhook import SIGNATURE, TIMESTAMP, WebhookChannel, sign
from connectors.wecom import aibot_webhook
from connectors.wecom.aibot_webhook import WecomBotWebhook
from connectors.wecom.app import WecomApp
from tests.bot.servers import serving
from tests.connectors.platforms import slack, wecom, wecom_bot
from tests.connectors.platforms.slack import FakeSlack

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


def aes_key() -> bytes:
    return base64.b64decode(wecom.AES_KEY + "=")
