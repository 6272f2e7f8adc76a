"""The Slack app, on bolt: events over HTTP or Socket Mode, answers that grow, buttons, and a command."""

from __future__ import annotations

import asyncio
import time

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import Field, SecretStr, model_validator
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ChannelError, SendFailed
from bot.question import Answer
from connectors.base import (
    MALFORMED,
    Address,
    Connector,
    ConnectorSettings,
    Delivery,
    HandoffAdapter,
    Host,
    Outgoing,
    finished,
    watched,
)
from connectors.http import PlatformClient
from connectors.slack import blocks
from connectors.slack.agents import SlackAgents
from connectors.slack.api import SlackApi
from connectors.slack.listeners import Listeners

log = structlog.get_logger()

API = "https://slack.com/api/"
INTERVAL_SECONDS = 1.5
"""Between two updates of a message: Slack allows some fifty a minute."""

IDENTITY_SECONDS = 10.0


class SlackSettings(ConnectorSettings):
    """The values of the app's pages at api.slack.com/apps; the manifest is in docs/channels/slack.md."""

    bot_token: SecretStr = Field(min_length=1, description="Bot User OAuth Token, xoxb-….")
    signing_secret: SecretStr | None = Field(None, description="Signing Secret, where Slack calls /events.")
    app_token: SecretStr | None = Field(None, description="App-level token, xapp-…: Socket Mode, no public address.")
    agents_channel: str = Field("", description="The ID of the channel where agents are called and answer from.")
    api: str = Field(API, description="Another address of Slack's API.")

    @model_validator(mode="after")
    def _one_way_in(self) -> SlackSettings:
        if self.signing_secret is None and self.app_token is None:
            raise ValueError("signing_secret (for /events) or app_token (for Socket Mode) is missing")
        return self


class Slack(Connector):
    """Talks to the members of one workspace."""

    Settings = SlackSettings

    def __init__(self, settings: SlackSettings) -> None:
        """Prepare; nothing is called yet."""
        self._settings = settings
        token = settings.bot_token.get_secret_value()
        self._client = AsyncWebClient(token=token, base_url=settings.api)
        self._api = SlackApi(self._client)
        self._urls = PlatformClient("")
        self._identity: AuthorizeResult | None = None
        self._agents = SlackAgents(self._api, settings.agents_channel) if settings.agents_channel else None
        self._host: Host | None = None

    def people(self) -> HandoffAdapter | None:
        """Return the agents' channel, if there is one."""
        return self._agents

    def routes(self, host: Host) -> APIRouter:
        """Serve Slack's calls, all of them at /events."""
        self._host = host
        if self._agents is not None:
            self._agents.host = host
        router = APIRouter(prefix=host.path, include_in_schema=False)
        if self._settings.signing_secret is not None:
            handler = AsyncSlackRequestHandler(self._bolt(host))

            @router.post("/events")
            async def receive(request: Request) -> Response:
                try:
                    return await handler.handle(request)
                except MALFORMED as error:
                    raise HTTPException(400, "the body is not Slack's") from error

        return router

    async def run(self, host: Host) -> None:
        """Find out who we are, then keep the socket open, if there is one."""
        while self._identity is None:
            try:
                await self._identify()
                host.report(None)
            except ChannelError as error:
                host.report(str(error))
                await asyncio.sleep(IDENTITY_SECONDS)
        if self._settings.app_token is None:
            return
        token = self._settings.app_token.get_secret_value()
        handler = AsyncSocketModeHandler(self._bolt(host), token, web_client=self._client)
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
            await asyncio.Event().wait()
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return Markdown with buttons."""
        return blocks.of_answer(answer)

    def from_text(self, text: str) -> list[Outgoing]:
        """Return Markdown."""
        return blocks.of_text(text)

    async def deliver(self, delivery: Delivery) -> None:
        """Show the answer as it grows, in one message; a command is answered whole."""
        if "url" in delivery.address:
            await super().deliver(delivery)
            return
        assert self._host is not None
        key = f"posted:{delivery.address['event']}"
        stream = _Stream(self, delivery.address, key, await self._host.memory.get(key))
        answer = await finished(watched(delivery.events(), stream.show))
        found = self.from_answer(answer)
        if found and delivery.sent == 0:
            await stream.end(found[0])
            await delivery.mark_sent(1)
        await self.push(delivery, found, answer.turn_id)
        await self._host.memory.put(key, None)

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Post a message; Slack knows no repetition."""
        del message_id
        if url := address.get("url"):
            await self._urls.request("POST", url, json={"response_type": "ephemeral", **message})
        else:
            await self.post(address, message)

    async def post(self, address: Address, message: Outgoing) -> str:
        """Post a message and return its identifier; raises as `send` does."""
        where = {"channel": address["channel"], **({"thread_ts": address["thread"]} if address["thread"] else {})}
        return str((await self._api.call("chat.postMessage", **where, **message))["ts"])

    async def update(self, address: Address, posted: str, message: Outgoing) -> None:
        """Replace a message; raises as `send` does."""
        await self._api.call("chat.update", channel=address["channel"], ts=posted, **message)

    async def remember(self, key: str, value: str) -> None:
        """Keep which message shows an answer."""
        assert self._host is not None
        await self._host.memory.put(key, value)

    async def check(self) -> str:
        """Return the names of the bot and of its workspace."""
        found = await self._api.call("auth.test")
        agents = f", agents: #{await self._agents.check()}" if self._agents is not None else ""
        return f"{found.get('user')} @ {found.get('team')}{agents}"

    async def close(self) -> None:
        """Give connections back."""
        await self._urls.close()

    async def _identify(self) -> None:
        found = await self._api.call("auth.test")
        self._identity = AuthorizeResult(
            enterprise_id=found.get("enterprise_id"),
            team_id=found.get("team_id"),
            bot_user_id=found.get("user_id"),
            bot_id=found.get("bot_id"),
            bot_token=self._settings.bot_token.get_secret_value(),
        )

    def _bolt(self, host: Host) -> AsyncApp:
        """Return the app; everything is kept before Slack is told that it arrived."""
        secret = self._settings.signing_secret

        async def authorize() -> AuthorizeResult:
            if self._identity is None:
                await self._identify()
            assert self._identity is not None
            return self._identity

        app = AsyncApp(
            signing_secret=secret.get_secret_value() if secret else "",
            client=AsyncWebClient(base_url=self._settings.api),
            authorize=authorize,
            process_before_response=True,
            raise_error_for_unhandled_request=True,
            request_verification_enabled=secret is not None,
        )
        Listeners(host, self._agents).register(app)
        return app


class _Stream:
    """The growing message of one answer."""

    def __init__(self, slack: Slack, address: Address, key: str, posted: str | None) -> None:
        self._slack, self._address, self._key, self._posted = slack, address, key, posted
        self._shown_at = time.monotonic() - INTERVAL_SECONDS / 2  # what is whole at once comes in one message
        self._showing: asyncio.Task[None] | None = None

    def show(self, text: str) -> None:
        """Show a text, unless Slack is still busy, or was just now."""
        now = time.monotonic()
        is_free = self._showing is None or self._showing.done()
        if is_free and now - self._shown_at >= INTERVAL_SECONDS:
            self._shown_at = now
            self._showing = asyncio.create_task(self._show_quietly(text))

    async def end(self, message: Outgoing) -> None:
        """Show the whole; raises as `Slack.send` does."""
        if self._showing is not None:
            await self._showing
        await self._put(message)

    async def _show_quietly(self, text: str) -> None:
        """Show a piece, which may be left out: the whole comes anyway."""
        try:
            await self._put(blocks.of_text(text)[0])
        except SendFailed as error:
            self._shown_at = time.monotonic() + (error.retry_after or 0)
        except ChannelError as error:
            log.info("a piece of an answer was not shown", error=str(error))

    async def _put(self, message: Outgoing) -> None:
        if self._posted is None:
            self._posted = await self._slack.post(self._address, message)
            await self._slack.remember(self._key, self._posted)
        else:
            await self._slack.update(self._address, self._posted, message)
