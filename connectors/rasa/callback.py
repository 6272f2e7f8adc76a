"""Rasa's callback channel: a question is acknowledged with “success”, and each message is posted to a fixed address."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field, SecretStr

from bot.question import Answer
from connectors.base import Address, Connector, ConnectorSettings, Host, Outgoing
from connectors.http import PlatformClient
from connectors.rasa.rest import RasaMessage, check_token, to_rasa, webhook_prefix


class RasaCallbackSettings(ConnectorSettings):
    """Programs made for Rasa's callback channel: `/webhooks/callback/webhook`."""

    url: str = Field(pattern="^https?://", description="Where messages are posted.")
    token: SecretStr = Field(SecretStr(""), description="If set, every call to us must carry it as ?token=….")


class RasaCallback(Connector):
    """Answers by calling back."""

    Settings = RasaCallbackSettings

    def __init__(self, settings: RasaCallbackSettings) -> None:
        """Prepare; the first message connects."""
        self._url, self._token = settings.url, settings.token.get_secret_value()
        self._client = PlatformClient("")

    def routes(self, host: Host) -> APIRouter:
        """Serve Rasa's addresses."""
        router = APIRouter(prefix=webhook_prefix(host), include_in_schema=False)

        @router.get("/")
        async def health() -> dict[str, str]:
            return {"status": "ok"}

        @router.post("/webhook")
        async def receive(message: RasaMessage, request: Request) -> Response:
            check_token(self._token, request)
            await host.admit(request, message.sender, trusted=bool(self._token))
            await host.take(message.to_incoming())
            return Response("success", media_type="text/plain")

        return router

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return Markdown, with buttons to choose from."""
        return to_rasa(answer)

    def from_text(self, text: str) -> list[Outgoing]:
        """Return Markdown."""
        return [{"text": text}]

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Post one message."""
        del message_id  # Rasa's messages have no identifiers
        await self._client.request("POST", self._url, json={"recipient_id": address["sender"], **message})

    async def check(self) -> str:
        """Say where messages go; nothing is posted, since whoever listens would take it for an answer."""
        return self._url

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()
