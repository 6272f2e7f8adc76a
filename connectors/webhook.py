"""A channel for programs of your own: signed JSON in, signed JSON out.

Both ways carry X-FrontDesk-Timestamp, in seconds, and X-FrontDesk-Signature: HMAC-SHA256 in hex of the timestamp, a dot
and the body, under a secret that both sides know.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from bot.question import Answer
from connectors.base import Address, Connector, ConnectorSettings, Host, Incoming, Outgoing
from connectors.http import PlatformClient

TIMESTAMP, SIGNATURE = "X-FrontDesk-Timestamp", "X-FrontDesk-Signature"
MAX_SKEW_SECONDS = 300


class WebhookChannelSettings(ConnectorSettings):
    """Programs of your own, by signed JSON: `/channels/webhook/messages`."""

    secret: SecretStr = Field(min_length=16, description="Signs both ways; the other side knows it too.")
    url: str = Field(pattern="^https?://", description="Where answers are posted.")


class CustomerMessage(BaseModel):
    """What a customer sent, as the program on the other side tells it."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1, max_length=200, description="The same one is never answered twice.")
    thread: str = Field(min_length=1, max_length=200, description="One customer in one place: a conversation.")
    text: str = ""
    kind: Literal["text", "media", "entered"] = "text"

    def to_incoming(self) -> Incoming:
        """Return the neutral message."""
        address = {"thread": self.thread, "in_reply_to": self.id}
        return Incoming(message_id=self.id, thread=self.thread, address=address, text=self.text, kind=self.kind)


class WebhookChannel(Connector):
    """Takes messages, and posts answers."""

    Settings = WebhookChannelSettings

    def __init__(self, settings: WebhookChannelSettings) -> None:
        """Prepare; the first answer connects."""
        self._secret, self._url = settings.secret.get_secret_value(), settings.url
        self._client = PlatformClient("")

    def routes(self, host: Host) -> APIRouter:
        """Serve /messages: 202 with whether the message is new."""
        router = APIRouter(prefix=host.path, include_in_schema=False)

        @router.post("/messages")
        async def receive(request: Request) -> JSONResponse:
            body = await request.body()
            self._check_signature(request, body)
            try:
                message = CustomerMessage.model_validate_json(body)
            except ValidationError as error:
                first = error.errors()[0]
                raise HTTPException(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
            return JSONResponse({"new": await host.take(message.to_incoming())}, 202)

        return router

    def _check_signature(self, request: Request, body: bytes) -> None:
        timestamp = request.headers.get(TIMESTAMP, "")
        if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > MAX_SKEW_SECONDS:
            raise HTTPException(401, f"{TIMESTAMP} must be the time, in seconds since 1970")
        expected = sign(self._secret, timestamp, body)
        if not hmac.compare_digest(expected.encode(), request.headers.get(SIGNATURE, "").encode()):
            raise HTTPException(401, f"{SIGNATURE} is not that of this body")

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return Markdown with all that may be shown beside it; nothing while people answer."""
        if not answer.text:
            return []
        shown: dict[str, Any] = {
            "from": "bot",
            "text": answer.text,
            "language": answer.language,
            "outcome": answer.outcome,
            "choices": [suggestion.question for suggestion in answer.suggestions],
            "citations": [{"key": cited.key, "question": cited.question} for cited in answer.citations],
            "handoff": answer.handoff,
            "turn_id": answer.turn_id,
        }
        return [shown]

    def from_text(self, text: str) -> list[Outgoing]:
        """Return Markdown."""
        return [{"from": "desk", "text": text}]

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Post one message; whatever is not a 2xx is tried again, with the same id."""
        whole = {"id": message_id, "thread": address["thread"], "in_reply_to": address["in_reply_to"], **message}
        body, timestamp = json.dumps(whole, ensure_ascii=False).encode(), str(int(time.time()))
        headers = {TIMESTAMP: timestamp, SIGNATURE: sign(self._secret, timestamp, body)}
        await self._client.request(
            "POST", self._url, content=body, headers={"Content-Type": "application/json", **headers}
        )

    async def check(self) -> str:
        """Say where answers go; nothing is posted, since whoever listens would show it to a customer."""
        return self._url

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
