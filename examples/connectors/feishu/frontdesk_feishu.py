"""Feishu (飞书) as a channel of FrontDesk: events come signed and encrypted, answers are sent as the app's bot."""

import hashlib
import hmac
import json
import re
import time
from base64 import b64decode
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fastapi import APIRouter, HTTPException, Request
from pydantic import Field, SecretStr

from bot.errors import SendFailed, SendRefused
from bot.question import Answer
from connectors.base import MALFORMED, Address, Connector, ConnectorSettings, Host, Incoming, IncomingKind, Outgoing
from connectors.http import PlatformClient, RequestRefused
from connectors.text import in_words, plain, split
from connectors.token import AccessToken, StaleToken

ERRORS = {99991400: SendFailed, 230020: SendFailed, 99991661: StaleToken, 99991663: StaleToken}
"""Too many calls, and a token that is not taken."""


class FeishuSettings(ConnectorSettings):
    """The values of an app's pages on open.feishu.cn; its events go to `/channels/feishu/events`."""

    app_id: str = Field(min_length=1, description="App ID, cli_….")
    app_secret: SecretStr = Field(min_length=1, description="App Secret.")
    encrypt_key: SecretStr = Field(min_length=1, description="Encrypt Key of its events (加密策略).")
    api: str = Field("https://open.feishu.cn", description="Lark's is https://open.larksuite.com.")


class Feishu(Connector):
    Settings = FeishuSettings

    def __init__(self, settings: FeishuSettings) -> None:
        self._key = settings.encrypt_key.get_secret_value().encode()
        self._app = {"app_id": settings.app_id, "app_secret": settings.app_secret.get_secret_value()}
        self._client, self._token = PlatformClient(settings.api), AccessToken(self._fetch_token)

    def routes(self, host: Host) -> APIRouter:
        router = APIRouter(prefix=host.path, include_in_schema=False)

        @router.post("/events")
        async def receive(request: Request) -> dict[str, Any]:
            body = await request.body()
            try:
                event = self._decrypt(b64decode(json.loads(body)["encrypt"]))
                if event.get("type") == "url_verification":
                    return {"challenge": event["challenge"]}
                self._check_signature(request, body)
                if event["header"]["event_type"] == "im.message.receive_v1":
                    await host.take(to_incoming(event["event"]))
            except MALFORMED as error:
                raise HTTPException(400, "this is no event of Feishu's, or the encrypt_key is another") from error
            return {}

        return router

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        return self.from_text(in_words(answer))

    def from_text(self, text: str) -> list[Outgoing]:
        return [{"msg_type": "text", "content": json.dumps({"text": each})} for each in split(plain(text), 30_000)]

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        unique = hashlib.sha256(message_id.encode()).hexdigest()[:40]  # of the same one Feishu takes one
        body = {"receive_id": address["chat"], "uuid": unique, **message}
        await self._call("POST", "/open-apis/im/v1/messages?receive_id_type=chat_id", json=body)

    async def check(self) -> str:
        return str((await self._call("GET", "/open-apis/bot/v3/info"))["bot"]["app_name"])

    async def close(self) -> None:
        await self._client.close()

    async def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        async def call_with(token: str) -> dict[str, Any]:
            return await self._ask(method, path, headers={"Authorization": f"Bearer {token}"}, **options)

        return await self._token.use(call_with)

    async def _fetch_token(self) -> tuple[str, float]:
        said = await self._client.call("POST", "/open-apis/auth/v3/tenant_access_token/internal", json=self._app)
        if said["code"]:
            raise SendRefused(f"Feishu does not take app_id and app_secret: {said['code']} {said.get('msg')}")
        return said["tenant_access_token"], said["expire"]

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            said = await self._client.call(method, path, **options)
        except RequestRefused as refused:  # Feishu gives most of its codes with status 400
            said = refused.body
        if said.get("code") == 0:
            return dict(said)
        raise ERRORS.get(said.get("code"), SendRefused)(f"Feishu said {said}")

    def _decrypt(self, sealed: bytes) -> dict[str, Any]:
        decryptor = Cipher(algorithms.AES(hashlib.sha256(self._key).digest()), modes.CBC(sealed[:16])).decryptor()
        padded = decryptor.update(sealed[16:]) + decryptor.finalize()
        return dict(json.loads(padded[: -padded[-1]]))

    def _check_signature(self, request: Request, body: bytes) -> None:
        names = ("Request-Timestamp", "Request-Nonce", "Signature")
        stamp, nonce, given = (request.headers.get(f"X-Lark-{name}", "") for name in names)
        expected = hashlib.sha256((stamp + nonce).encode() + self._key + body).hexdigest()
        if not hmac.compare_digest(expected, given) or abs(time.time() - int(stamp)) > 3_600:
            raise HTTPException(401, "the signature is not Feishu's")


def to_incoming(event: dict[str, Any]) -> Incoming:
    """Return a message; in a group each person has a conversation of their own."""
    message, user = event["message"], str(event["sender"]["sender_id"]["open_id"])
    text = re.sub(r"@_user_\d+\s*", "", json.loads(message["content"]).get("text") or "").strip()
    chat, unique = str(message["chat_id"]), str(message["message_id"])
    kind: IncomingKind = "text" if message["message_type"] == "text" else "media"
    return Incoming(message_id=unique, thread=f"{chat}:{user}", address={"chat": chat}, text=text, kind=kind)
