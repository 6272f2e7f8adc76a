"""Rasa's REST channel, so that chat widgets made for Rasa talk to this bot.

POST /webhooks/NAME/webhook of {"sender", "message"} answers with a JSON list of messages; NAME is the channel's, as in
Rasa. A widget only hears us when it asks: what agents write meanwhile is kept, and given with the next answer.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bot.question import Answer
from connectors.base import Address, Connector, ConnectorSettings, Delivery, Host, Incoming, Outgoing, finished

WAIT_SECONDS = 120.0
"""So long a widget waits; an answer that takes longer is given with the next one."""

_INTENT = re.compile(r"/[a-z_]+(?:\{.*\})?", re.DOTALL | re.IGNORECASE)
"""What widgets send unasked, such as /session_start; no customer writes it."""


class RasaRestSettings(ConnectorSettings):
    """Chat widgets made for Rasa's REST channel: `/webhooks/rest/webhook`."""

    token: SecretStr = Field(
        SecretStr(""), description="If set, every call must carry it as ?token=…; without, anyone may ask, as in Rasa."
    )


class RasaMessage(BaseModel):
    """What a widget sends; one without a sender is somebody new."""

    model_config = ConfigDict(coerce_numbers_to_str=True)
    sender: Annotated[str, BeforeValidator(lambda given: given or uuid4().hex)] = Field(
        "", max_length=200, validate_default=True
    )
    message: Annotated[str, BeforeValidator(lambda given: given or "")] = ""

    def to_incoming(self, exchange: str = "") -> Incoming:
        """Return the neutral message, to be answered in an exchange."""
        is_unasked = bool(_INTENT.fullmatch(self.message.strip()))
        return Incoming(
            message_id=exchange or uuid4().hex,
            thread=self.sender,
            address={"sender": self.sender, "exchange": exchange},
            text=self.message,
            kind="entered" if is_unasked else "text",
        )


def to_rasa(answer: Answer) -> list[Outgoing]:
    """Return an answer as a message of Rasa's; nothing while people answer."""
    if not answer.text:
        return []
    buttons = [{"title": each.question, "payload": each.question} for each in answer.suggestions]
    return [{"text": answer.text, **({"buttons": buttons} if buttons else {})}]


class RasaRest(Connector):
    """Answers within the request."""

    Settings = RasaRestSettings

    def __init__(self, settings: RasaRestSettings) -> None:
        """Prepare; there is nobody to call."""
        self._token = settings.token.get_secret_value()
        self._exchanges: dict[str, asyncio.Queue[Outgoing | None]] = {}
        self._writing = asyncio.Lock()
        self._host: Host

    def routes(self, host: Host) -> APIRouter:
        """Serve Rasa's addresses."""
        self._host = host
        router = APIRouter(prefix=webhook_prefix(host), include_in_schema=False)

        @router.get("/")
        async def health() -> dict[str, str]:
            return {"status": "ok"}

        @router.post("/webhook")
        async def receive(message: RasaMessage, request: Request) -> Response:
            check_token(self._token, request)
            await host.admit(request, message.sender, trusted=bool(self._token))
            if request.query_params.get("stream", "").lower() == "true":
                lines = (json.dumps(each, ensure_ascii=False) + "\n" async for each in self._converse(message))
                return StreamingResponse(lines, media_type="text/event-stream")
            return JSONResponse([each async for each in self._converse(message)])

        return router

    async def _converse(self, message: RasaMessage) -> AsyncIterator[Outgoing]:
        """Yield what was kept for the customer, then what is said to the message."""
        exchange = uuid4().hex
        said = self._exchanges[exchange] = asyncio.Queue()
        try:
            for kept in await self._take_kept(message.sender):
                yield kept
            await self._host.take(message.to_incoming(exchange))
            async with asyncio.timeout(WAIT_SECONDS):
                while (each := await said.get()) is not None:
                    yield each
        except TimeoutError:
            return
        finally:
            del self._exchanges[exchange]

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return Markdown, with buttons to choose from."""
        return to_rasa(answer)

    def from_text(self, text: str) -> list[Outgoing]:
        """Return Markdown."""
        return [{"text": text}]

    async def deliver(self, delivery: Delivery) -> None:
        """Answer in the exchange that waits; if it has ended, keep the answer for the next."""
        answer = await finished(delivery.events())
        for message in self.from_answer(answer):
            await self._say(delivery.address, message, delivery.address["exchange"])

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Say it in an exchange of the customer's that waits, or keep it for the next."""
        del message_id  # what is kept is kept once
        await self._say(address, message, address["exchange"])

    async def _say(self, address: Address, message: Outgoing, exchange: str) -> None:
        whole = {"recipient_id": address["sender"], **message}
        waiting = self._exchanges.get(exchange)
        if waiting is not None:
            waiting.put_nowait(whole)
            return
        async with self._writing:
            key = f"kept:{address['sender']}"
            await self._host.memory.put(key, [*(await self._host.memory.get(key) or []), whole])

    async def _take_kept(self, sender: str) -> list[Outgoing]:
        async with self._writing:
            kept: list[Outgoing] = await self._host.memory.get(f"kept:{sender}") or []
            if kept:
                await self._host.memory.put(f"kept:{sender}", None)
            return kept

    async def settled(self, address: Address) -> None:
        """End the exchange."""
        if waiting := self._exchanges.get(address["exchange"]):
            waiting.put_nowait(None)

    async def check(self) -> str:
        """Say what can be said: widgets call us."""
        return webhook_prefix(self._host) + "/webhook"


def webhook_prefix(host: Host) -> str:
    """Return where Rasa's widgets expect a channel: /webhooks/NAME."""
    return "/webhooks/" + host.path.rpartition("/")[2]


def check_token(token: str, request: Request) -> None:
    """Refuse who does not know the token, if there is one."""
    given = request.query_params.get("token", "")
    if token and not hmac.compare_digest(given.encode(), token.encode()):
        raise HTTPException(401, "the token is missing or wrong")
