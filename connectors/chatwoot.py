"""Chatwoot's agent bot: it has a conversation while that is pending, and gives it to Chatwoot's agents by opening it.

Events and API as in Chatwoot's documentation of agent bots and its application API.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import Field, SecretStr

from bot.errors import ChannelError, SendRefused
from bot.question import Answer
from connectors.base import (
    MALFORMED,
    Address,
    Connector,
    ConnectorSettings,
    Delivery,
    Host,
    Incoming,
    Outgoing,
    finished,
)
from connectors.http import PlatformClient
from connectors.text import with_choices

OURS, THEIRS = "pending", "open"
AGENTS = "Chatwoot"
"""Who has a conversation when Chatwoot does not say."""


class ChatwootSettings(ConnectorSettings):
    """A bot of Chatwoot's (Settings → Bots), with the webhook `/channels/chatwoot/webhook?token=…`."""

    url: str = Field(pattern="^https?://", description="Where Chatwoot is, such as https://app.chatwoot.com.")
    account: int = Field(ge=1, description="The number of the account: it is in the address of every page there.")
    access_token: SecretStr = Field(min_length=1, description="The bot's access token.")
    token: SecretStr = Field(min_length=16, description="A secret of your own, which the webhook's address ends with.")


class Chatwoot(Connector):
    """Answers in the inboxes that the bot is assigned to."""

    Settings = ChatwootSettings

    def __init__(self, settings: ChatwootSettings) -> None:
        """Prepare; the first message connects."""
        self._settings = settings
        self._client = PlatformClient(settings.url.rstrip("/"))
        self._account = f"/api/v1/accounts/{settings.account}"

    def routes(self, host: Host) -> APIRouter:
        """Serve the webhook."""
        router = APIRouter(prefix=host.path, include_in_schema=False)

        @router.post("/webhook")
        async def receive(event: dict[str, Any], request: Request) -> Response:
            token, given = self._settings.token.get_secret_value(), request.query_params.get("token", "")
            if not hmac.compare_digest(token.encode(), given.encode()):
                raise HTTPException(401, "the token is missing or wrong")
            try:
                await self._take(host, event)
            except MALFORMED as error:
                raise HTTPException(400, "this is no event of Chatwoot's") from error
            return Response()

        return router

    async def _take(self, host: Host, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "message_created" if event.get("message_type") == "incoming":
                if event["conversation"]["status"] == OURS:
                    await host.take(to_incoming(event))
            case "message_created" if event.get("message_type") == "outgoing" and not event.get("private"):
                sender = event.get("sender") or {}
                if sender.get("type") == "user":  # not the bot itself
                    name, thread = str(sender.get("name") or AGENTS), str(event["conversation"]["id"])
                    await host.people_said(thread, name, str(event.get("content") or ""), str(event["id"]))
            case "conversation_opened":
                await host.people_took(str(event["id"]), _assignee(event))
            case "conversation_resolved":
                await host.people_left(str(event["id"]))
            case "conversation_status_changed":
                if event["status"] == THEIRS:
                    await host.people_took(str(event["id"]), _assignee(event))
                else:
                    await host.people_left(str(event["id"]))

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return Markdown, with choices to click where the inbox shows them; nothing while people answer."""
        if not answer.text:
            return []
        if not answer.suggestions:
            return [{"content": with_choices(answer, answer.text)}]
        items = [{"title": each.question, "value": each.question} for each in answer.suggestions]
        choices = {"content_type": "input_select", "content_attributes": {"items": items}}
        return [{"content": answer.text, **choices}]

    def from_text(self, text: str) -> list[Outgoing]:
        """Return Markdown."""
        return [{"content": text}]

    async def deliver(self, delivery: Delivery) -> None:
        """Bring an answer, and give the conversation to Chatwoot's agents when people are wanted."""
        answer = await finished(delivery.events())
        await self.push(delivery, self.from_answer(answer), answer.turn_id)
        if answer.handoff == "waiting":
            await self._post(f"/conversations/{delivery.address['conversation']}/toggle_status", {"status": THEIRS})

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Write one message as the bot."""
        del message_id  # Chatwoot knows no repetition: what it did not confirm is sent again
        path = f"/conversations/{address['conversation']}/messages"
        await self._post(path, {"message_type": "outgoing", "content_type": "text", **message})

    async def check(self) -> str:
        """Ask for a conversation that cannot be: a bot may do so little that this tells best whether it is let in."""
        try:
            await self._post("/conversations/0/toggle_status", {"status": OURS})
        except SendRefused as error:
            if error.status == 401:
                raise ChannelError("Chatwoot does not take the access token") from error
            if error.status != 404:
                raise
        return f"Chatwoot, account {self._settings.account}"

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()

    async def _post(self, path: str, body: Outgoing) -> None:
        await self._client.request("POST", self._account + path, json=body, headers=self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        return {"api_access_token": self._settings.access_token.get_secret_value()}


def to_incoming(event: Mapping[str, Any]) -> Incoming:
    """Return what a customer wrote; a click on a choice is its words."""
    conversation, text = str(event["conversation"]["id"]), str(event.get("content") or "")
    return Incoming(
        message_id=str(event["id"] or ""),
        thread=conversation,
        address={"conversation": conversation},
        text=text,
        kind="text" if text.strip() else "media",
    )


def _assignee(event: Mapping[str, Any]) -> str:
    assignee = (event.get("meta") or {}).get("assignee") or {}
    return str(assignee.get("name") or AGENTS)
