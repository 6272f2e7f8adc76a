"""DingTalk (钉钉) as a channel of FrontDesk: an app's robot in HTTP mode (HTTP 模式)."""

import hmac
import json
import time
from base64 import b64encode
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import Field, SecretStr

from bot.errors import SendRefused
from bot.question import Answer
from connectors.base import MALFORMED, Address, Connector, ConnectorSettings, Host, Incoming, IncomingKind, Outgoing
from connectors.http import PlatformClient, RequestRefused
from connectors.text import split, with_choices
from connectors.token import AccessToken, StaleToken


class DingTalkSettings(ConnectorSettings):
    """The values of an app's pages on open-dev.dingtalk.com; its robot calls `/channels/dingtalk/messages`."""

    app_key: str = Field(min_length=1, description="Client ID (AppKey).")
    app_secret: SecretStr = Field(min_length=1, description="Client Secret (AppSecret).")
    api: str = Field("https://api.dingtalk.com", description="Another address of DingTalk's API.")


class DingTalk(Connector):
    Settings = DingTalkSettings

    def __init__(self, settings: DingTalkSettings) -> None:
        self._key, self._secret = settings.app_key, settings.app_secret.get_secret_value()
        self._client, self._token = PlatformClient(settings.api), AccessToken(self._fetch_token)

    def routes(self, host: Host) -> APIRouter:
        router = APIRouter(prefix=host.path, include_in_schema=False)

        @router.post("/messages")
        async def receive(message: dict[str, Any], request: Request) -> dict[str, Any]:
            self._check_signature(request)
            try:
                await host.take(to_incoming(message))
            except MALFORMED as error:
                raise HTTPException(400, "this is no message of DingTalk's") from error
            return {}

        return router

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        return self.from_text(with_choices(answer, answer.text))

    def from_text(self, text: str) -> list[Outgoing]:
        pieces = split(text, 12_000)
        return [{"msgKey": "sampleMarkdown", "msgParam": to_json(title=each[:20], text=each)} for each in pieces]

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        del message_id  # DingTalk knows no repetition
        if group := address.get("group"):
            path, whom = "/v1.0/robot/groupMessages/send", {"openConversationId": group}
        else:
            path, whom = "/v1.0/robot/oToMessages/batchSend", {"userIds": [address["user"]]}  # type: ignore[dict-item]
        body = {"robotCode": self._key, **whom, **message}

        async def call_with(token: str) -> None:
            try:
                await self._client.call("POST", path, headers={"x-acs-dingtalk-access-token": token}, json=body)
            except RequestRefused as refused:
                raise StaleToken(str(refused)) if refused.status == 401 else refused from refused

        await self._token.use(call_with)

    async def check(self) -> str:
        await self._token.current()
        return self._key

    async def close(self) -> None:
        await self._client.close()

    async def _fetch_token(self) -> tuple[str, float]:
        keys = {"appKey": self._key, "appSecret": self._secret}
        said = await self._client.call("POST", "/v1.0/oauth2/accessToken", json=keys)
        if "accessToken" not in said:
            raise SendRefused(f"DingTalk does not take app_key and app_secret: {said}")
        return said["accessToken"], said["expireIn"]

    def _check_signature(self, request: Request) -> None:
        timestamp, given = request.headers.get("timestamp", ""), request.headers.get("sign", "")
        expected = b64encode(hmac.digest(self._secret.encode(), f"{timestamp}\n{self._secret}".encode(), "sha256"))
        is_now = timestamp.isdecimal() and abs(time.time() * 1_000 - int(timestamp)) < 3_600_000
        if not is_now or not hmac.compare_digest(expected, given.encode()):
            raise HTTPException(401, "the signature is not DingTalk's")


def to_incoming(message: dict[str, Any]) -> Incoming:
    """Return a message; in a group each person has a conversation of their own."""
    user, in_group = str(message.get("senderStaffId") or message["senderId"]), message["conversationType"] == "2"
    where = {"user": user, **({"group": message["conversationId"]} if in_group else {})}
    text = str((message.get("text") or {}).get("content", "")).strip()
    thread, unique = f"{message['conversationId']}:{user}", str(message["msgId"])
    kind: IncomingKind = "text" if message["msgtype"] == "text" else "media"
    return Incoming(message_id=unique, thread=thread, address=where, text=text, kind=kind)


def to_json(**values: str) -> str:
    """Return values as DingTalk wants them: JSON within JSON."""
    return json.dumps(values, ensure_ascii=False)
