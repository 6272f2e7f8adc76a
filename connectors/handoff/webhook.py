"""Telling people by a webhook of the company's own: transcript and summary as signed JSON."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from pydantic import Field, SecretStr

from connectors.base import Call, ConnectorSettings, HandoffAdapter
from connectors.http import PlatformClient

SIGNATURE = "X-FrontDesk-Signature"


class WebhookSettings(ConnectorSettings):
    """A webhook of the company's own."""

    url: str = Field(min_length=1, description="Told of each call, with transcript and summary, as JSON.")
    secret: SecretStr | None = Field(None, description="Signs it: X-FrontDesk-Signature, HMAC-SHA256 in hex.")


class Webhook(HandoffAdapter):
    """Posts each call to an address."""

    Settings = WebhookSettings

    def __init__(self, settings: WebhookSettings) -> None:
        """Prepare; nothing is called yet."""
        self._settings = settings

    async def call(self, call: Call) -> None:
        """Post the call; whatever is not a 2xx is tried again."""
        notice = {
            "event": "handoff",
            "conversation_id": call.conversation_id,
            "channel": call.channel,
            "reason": call.reason,
            "summary": call.summary,
            "transcript": [{"role": message.role, "text": message.text} for message in call.transcript],
        }
        await self._post(notice)

    async def check(self) -> str:
        """Post a notice that calls nobody."""
        await self._post({"event": "test"})
        return self._settings.url

    async def _post(self, notice: Mapping[str, object]) -> None:
        body = json.dumps(notice, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        if self._settings.secret:
            key = self._settings.secret.get_secret_value().encode()
            headers[SIGNATURE] = hmac.new(key, body, hashlib.sha256).hexdigest()
        client = PlatformClient("")
        try:
            await client.request("POST", self._settings.url, content=body, headers=headers)
        finally:
            await client.close()
