"""WeCom's AI bot by callbacks: every call is answered at once from memory, with as much as the answer has so far.

WeCom calls again and again until it was given the end, for six minutes at most; what it did not fetch is pushed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, SecretStr

from bot.errors import SendHeld
from bot.question import Answer
from connectors.base import (
    MALFORMED,
    Address,
    Connector,
    ConnectorSettings,
    Delivery,
    Host,
    Outgoing,
    finished,
    watched,
)
from connectors.http import PlatformClient
from connectors.wecom import aibot
from connectors.wecom.api import checked
from connectors.wecom.callback import Signed, open_envelope
from connectors.wecom.envelope import AesKey, Envelopes

FIRST_SECONDS = 1.0
"""So long the first call waits: most answers are whole by then, and silence need not show an empty bubble."""

FETCHED_WITHIN_SECONDS = 15.0
"""WeCom asks about once a second; if it has not for so long, it has given up."""

KEEP_SECONDS = 600.0


class WecomBotWebhookSettings(ConnectorSettings):
    """The values of the bot's page in WeCom, set to receive messages by URL callback (URL回调)."""

    token: SecretStr = Field(min_length=1, description="Token of its callback.")
    aes_key: AesKey = Field(description="EncodingAESKey of its callback.")


class Sealed(BaseModel):
    """The body of every call."""

    encrypt: str


@dataclass
class _Stream:
    """An answer as far as it is there."""

    begun: float = field(default_factory=time.monotonic)
    content: str = ""
    finish: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    fetched: asyncio.Event = field(default_factory=asyncio.Event)

    def update(self, content: str, *, finish: bool = False) -> None:
        """Show a text; after the end nothing changes any more."""
        if not self.finish:
            self.content, self.finish = content, finish
        if finish:
            self.changed.set()

    def fetch(self, message_id: str) -> dict[str, Any]:
        """Return what WeCom shows now; nothing if nothing shall be said."""
        if self.finish:
            self.fetched.set()
            if not self.content:
                return {}
        stream = {"id": message_id, "finish": self.finish, "content": self.content, "feedback": {"id": message_id}}
        return {"msgtype": "stream", "stream": stream}


class WecomBotWebhook(Connector):
    """Talks to a company's own people, alone and in groups."""

    Settings = WecomBotWebhookSettings

    def __init__(self, settings: WecomBotWebhookSettings) -> None:
        """Prepare; nothing is called yet."""
        self._envelopes = Envelopes(settings.token, settings.aes_key, "")
        self._client = PlatformClient("")
        self._streams: dict[str, _Stream] = {}
        self._used: set[str] = set()

    def routes(self, host: Host) -> APIRouter:
        """Serve the callback's address, /callback."""
        router = APIRouter(prefix=host.path, include_in_schema=False)

        @router.get("/callback")
        async def prove(signed: Annotated[Signed, Query()], echostr: str) -> Response:
            return Response(open_envelope(self._envelopes, echostr, signed), media_type="text/plain")

        @router.post("/callback")
        async def receive(signed: Annotated[Signed, Query()], sealed: Sealed) -> Response:
            try:
                message = json.loads(open_envelope(self._envelopes, sealed.encrypt, signed))
                reply = await self._reply(host, message)
            except MALFORMED as error:
                raise HTTPException(400, "this is no message of WeCom's") from error
            return self._seal(reply, signed) if reply else Response()

        return router

    async def _reply(self, host: Host, message: Mapping[str, Any]) -> dict[str, Any]:
        if message["msgtype"] == "stream":
            message_id = str(message["stream"]["id"])
            return self._stream(message_id).fetch(message_id)
        if message["msgtype"] == "event":
            event = message["event"]
            if event.get("eventtype") == "enter_chat":
                return {"msgtype": "text", "text": {"content": host.welcome()}}
            if event.get("eventtype") == "feedback_event":
                await aibot.rate(host, event)
            return {}
        incoming = aibot.to_incoming(message, url=str(message.get("response_url", "")))
        if incoming is None:
            return {}
        stream = self._stream(incoming.message_id)
        await host.take(incoming)
        with suppress(TimeoutError):
            await asyncio.wait_for(stream.changed.wait(), FIRST_SECONDS)
        return stream.fetch(incoming.message_id)

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return Markdown."""
        return aibot.answer_to_messages(answer)

    def from_text(self, text: str) -> list[Outgoing]:
        """Return Markdown."""
        return aibot.to_messages(text)

    async def deliver(self, delivery: Delivery) -> None:
        """Let WeCom fetch the answer while it grows; what it does not fetch is pushed."""
        stream = self._stream(delivery.address["stream"])
        answer = await finished(watched(delivery.events(), stream.update))
        messages = self.from_answer(answer)
        if not stream.finish:  # else a person's words have ended it meanwhile
            stream.update(messages[0]["markdown"]["content"] if messages else "", finish=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(stream.fetched.wait(), FETCHED_WITHIN_SECONDS)
                await delivery.mark_sent(1)
        await self.push(delivery, messages, answer.turn_id)

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Say it in the stream that WeCom waits for; else push it by the address that came along and holds once."""
        del message_id  # WeCom knows no repetition
        stream = self._streams.get(address["stream"])
        if stream is not None and not stream.finish:
            stream.update(message["markdown"]["content"], finish=True)
            return
        url = address.get("url", "")
        if not url or url in self._used:
            raise SendHeld("in callback mode WeCom lets an AI bot write once, after the customer has")
        checked(await self._client.call("POST", url, json=message))
        self._used.add(url)

    async def check(self) -> str:
        """Say what can be said: this mode calls nothing."""
        return "AI bot (URL callback)"

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()

    def _stream(self, message_id: str) -> _Stream:
        """Return the stream that answers a message, begun if it is not known, as after a restart."""
        now = time.monotonic()
        self._streams = {name: each for name, each in self._streams.items() if now - each.begun < KEEP_SECONDS}
        return self._streams.setdefault(message_id, _Stream())

    def _seal(self, reply: dict[str, Any], signed: Signed) -> Response:
        text = json.dumps(reply, ensure_ascii=False)
        encrypted, signature = self._envelopes.seal(text, timestamp=signed.timestamp, nonce=signed.nonce)
        sealed = {"encrypt": encrypted, "msgsignature": signature, "nonce": signed.nonce}
        return JSONResponse({**sealed, "timestamp": int(signed.timestamp)})
