"""Slack's Web API with its errors in the terms of connectors: https://docs.slack.dev/reference/methods."""

from __future__ import annotations

from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SendFailed, SendRefused
from connectors.http import retry_after

WRONG_ACCOUNT = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope")
AWAY = ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")


class SlackRefused(SendRefused):
    """Slack said no; `code` is its word for why."""

    def __init__(self, code: str) -> None:
        """Keep the word."""
        super().__init__(f"Slack said {code}")
        self.code = code


class SlackApi:
    """Calls on behalf of the bot."""

    def __init__(self, client: AsyncWebClient) -> None:
        """Use bolt's client."""
        self._client = client

    async def call(self, method: str, **body: Any) -> dict[str, Any]:
        """Return Slack's answer to a method such as chat.postMessage.

        Raises:
            SendFailed: Slack is away or busy, or the token is wrong, which somebody may mend.
            SlackRefused: Slack will not do this.
        """
        try:
            response = await self._client.api_call(method, json=body)
        except SlackApiError as error:
            raise _translated(error) from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SendFailed(f"Slack cannot be reached ({type(error).__name__})") from error
        data: Any = response.data
        return dict(data) if isinstance(data, dict) else {}


def _translated(error: SlackApiError) -> SendFailed | SendRefused:
    response: Any = error.response
    data = response.data if isinstance(response.data, dict) else {}
    code, status = str(data.get("error", "")), int(response.status_code)
    if code in WRONG_ACCOUNT:
        needed = f", needed: {data['needed']}" if data.get("needed") else ""
        return SendFailed(f"Slack does not accept the token: {code}{needed}")
    if status == 429 or status >= 500 or code in AWAY:
        return SendFailed(f"Slack said {code or status}", retry_after(response.headers))
    return SlackRefused(code or str(status))
