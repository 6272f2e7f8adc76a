"""WeCom's AI bot by WebSocket (长连接): no public address is needed, and answers grow before the reader's eyes.

https://developer.work.weixin.qq.com/document/path/101463. The connection is our own: WeCom's own
wecom-aibot-python-sdk 1.0.2 cancels itself when it reconnects and goes on trying with a wrong secret.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import structlog
from pydantic import Field, SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bot.errors import ChannelError, SendFailed, SendRefused
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
from connectors.wecom import aibot
from connectors.wecom.api import WecomError, error_in

log = structlog.get_logger()

URL = "wss://openws.work.weixin.qq.com"
HEARTBEAT_SECONDS = 30.0
ACK_SECONDS = 5.0
INTERVAL_SECONDS = 1.0
"""Between two frames of a growing answer: WeCom counts them."""

DELAYS_SECONDS = (1, 2, 5, 15, 30)
WRONG_SECRET = 853_000
TOO_LATE = (846_605, 846_608)
"""The message that is answered is not known any more, or its stream has expired: what is left is a push."""


class WecomBotSettings(ConnectorSettings):
    """The values of the bot's page in WeCom, set to receive messages by long connection (长连接)."""

    bot_id: str = Field(min_length=1, description="Bot ID.")
    secret: SecretStr = Field(min_length=1, description="Secret.")
    url: str = Field(URL, description="Another address of WeCom's.")


class WecomBot(Connector):
    """Talks to a company's own people, alone and in groups."""

    Settings = WecomBotSettings
    one_connection = True

    def __init__(self, settings: WecomBotSettings) -> None:
        """Prepare; nothing is called yet."""
        self._bot_id, self._secret, self._url = settings.bot_id, settings.secret, settings.url
        self._socket: ClientConnection | None = None
        self._acks: dict[str, asyncio.Future[None]] = {}
        self._greetings: set[asyncio.Task[None]] = set()
        self._subscribed = asyncio.Event()
        self._trouble = ""
        """Why the last connection ended."""

    async def run(self, host: Host) -> None:
        """Keep the connection up; raises ChannelError where trying again is of no use."""
        failures = 0
        while True:
            try:
                async with connect(self._url) as socket, self._reading(host, socket) as reading:
                    await self._subscribe()
                    failures = 0
                    host.report(None)
                    await self._keep_alive(reading)
            except (OSError, WebSocketException, TimeoutError, SendFailed, SendRefused) as error:
                log.warning("the connection to WeCom broke", error=str(error))
                self._trouble = f"the connection to WeCom broke: {error}"
                host.report(self._trouble)
            except ChannelError as error:
                self._trouble = str(error)
                raise
            await asyncio.sleep(DELAYS_SECONDS[min(failures, len(DELAYS_SECONDS) - 1)])
            failures += 1

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return Markdown."""
        return aibot.answer_to_messages(answer)

    def from_text(self, text: str) -> list[Outgoing]:
        """Return Markdown."""
        return aibot.to_messages(text)

    async def deliver(self, delivery: Delivery) -> None:
        """Show the answer as it grows; the end is never left out, and pushed if WeCom takes no more of the stream."""
        stream = _Stream(self, delivery.address)
        answer = await finished(watched(delivery.events(), stream.show))
        messages = self.from_answer(answer)
        if messages and not delivery.sent:
            try:
                await stream.end(messages[0]["markdown"]["content"])
                await delivery.mark_sent(1)
            except WecomError as error:
                if error.code not in TOO_LATE:
                    raise
        await self.push(delivery, messages, answer.turn_id)

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Push a message."""
        del message_id  # WeCom knows no repetition
        await self.call("aibot_send_msg", {"chatid": address["chat"], **message})

    async def check(self) -> str:
        """Return the bot's identifier, if it is connected, or is so in a moment."""
        try:
            await asyncio.wait_for(self._subscribed.wait(), ACK_SECONDS)
        except TimeoutError as error:
            raise ChannelError(self._trouble or "WeCom cannot be reached") from error
        await self.call("ping")
        return f"AI bot {self._bot_id}"

    async def call(self, command: str, body: Mapping[str, Any] | None = None, request: str = "") -> None:
        """Send a frame and wait until WeCom has acknowledged it; `request` is what it replies to.

        Raises:
            SendFailed: there is no connection, or no acknowledgement.
            WecomError: WeCom said no.
        """
        if self._socket is None:
            raise SendFailed("there is no connection to WeCom")
        request = request or f"{command}_{uuid4().hex}"
        acknowledged = self._acks[request] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send(json.dumps({"cmd": command, "headers": {"req_id": request}, "body": body or {}}))
            await asyncio.wait_for(acknowledged, ACK_SECONDS)
        except (WebSocketException, OSError) as error:
            raise SendFailed("the connection to WeCom broke") from error
        except TimeoutError as error:
            raise SendFailed("WeCom did not acknowledge") from error
        finally:
            self._acks.pop(request, None)

    @asynccontextmanager
    async def _reading(self, host: Host, socket: ClientConnection) -> AsyncIterator[asyncio.Task[None]]:
        """Use a connection, and read what comes over it, for as long as the block lasts."""
        self._socket = socket
        reading = asyncio.create_task(self._read(host, socket))
        try:
            yield reading
        finally:
            self._socket = None
            self._subscribed.clear()
            reading.cancel()
            for acknowledged in self._acks.values():
                if not acknowledged.done():
                    acknowledged.set_exception(SendFailed("the connection to WeCom broke"))
            await asyncio.gather(reading, return_exceptions=True)

    async def _subscribe(self) -> None:
        """Say who we are."""
        try:
            await self.call("aibot_subscribe", {"bot_id": self._bot_id, "secret": self._secret.get_secret_value()})
        except WecomError as error:
            if error.code == WRONG_SECRET:
                raise ChannelError("WeCom does not know this bot_id and secret: correct them") from error
            raise
        self._subscribed.set()

    async def _keep_alive(self, reading: asyncio.Task[None]) -> None:
        """Send a heartbeat again and again, until the connection ends."""
        while not reading.done():
            await asyncio.wait([reading], timeout=HEARTBEAT_SECONDS)
            if not reading.done():
                await self.call("ping")
        await reading

    async def _read(self, host: Host, socket: ClientConnection) -> None:
        async for text in socket:
            try:
                await self._take(host, json.loads(text))
            except MALFORMED as error:
                log.warning("a frame of WeCom's could not be read", error=f"{type(error).__name__}: {error}")

    async def _take(self, host: Host, frame: Mapping[str, Any]) -> None:
        """Hand over what happened, or learn what became of a frame of ours."""
        request = str((frame.get("headers") or {}).get("req_id", ""))
        if frame.get("cmd"):
            await self._receive(host, frame.get("body") or {}, request)
        elif (acknowledged := self._acks.get(request)) is not None and not acknowledged.done():
            if error := error_in(frame):
                acknowledged.set_exception(error)
            else:
                acknowledged.set_result(None)

    async def _receive(self, host: Host, message: Mapping[str, Any], request: str) -> None:
        event = message.get("event") or {}
        match event.get("eventtype"):
            case "disconnected_event":
                raise ChannelError("another program has connected with the same bot; only one can")
            case "enter_chat":
                body = {"msgtype": "text", "text": {"content": host.welcome()}}
                greeting = asyncio.create_task(self._greet(body, request))
                self._greetings.add(greeting)
                greeting.add_done_callback(self._greetings.discard)
            case "feedback_event":
                await aibot.rate(host, event)
            case None:
                incoming = aibot.to_incoming(message, request=request)
                if incoming is not None:
                    await host.take(incoming)

    async def _greet(self, body: Mapping[str, Any], request: str) -> None:
        try:
            await self.call("aibot_respond_welcome_msg", body, request)
        except ChannelError as error:
            log.warning("nobody was welcomed", error=str(error))


class _Stream:
    """The growing reply to one message: one frame at a time, the latest text each."""

    def __init__(self, bot: WecomBot, address: Address) -> None:
        self._bot, self._address = bot, address
        self._shown_at = time.monotonic() - INTERVAL_SECONDS / 2  # what is whole at once comes in one frame
        self._showing: asyncio.Task[None] | None = None
        self._feedback = {"feedback": {"id": address["stream"]}}

    def show(self, content: str) -> None:
        """Show a text, unless WeCom is still busy with the one before."""
        now = time.monotonic()
        is_free = self._showing is None or self._showing.done()
        if is_free and now - self._shown_at >= INTERVAL_SECONDS:
            self._shown_at = now
            self._showing = asyncio.create_task(self._send(aibot.cut(content), finish=False))

    async def end(self, content: str) -> None:
        """Show the whole text; raises as `WecomBot.call` does."""
        if self._showing is not None:
            await asyncio.gather(self._showing, return_exceptions=True)
        await self._send(content, finish=True)

    async def _send(self, content: str, *, finish: bool) -> None:
        stream = {"id": self._address["stream"], "finish": finish, "content": content, **self._feedback}
        self._feedback = {}
        await self._bot.call("aibot_respond_msg", {"msgtype": "stream", "stream": stream}, self._address["request"])
