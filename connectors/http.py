"""Calling a platform's HTTP API: what went wrong, in the terms of connectors."""

from __future__ import annotations

from typing import Any

import httpx

from bot.errors import SendFailed, SendRefused

TIMEOUT_SECONDS = 10.0


class Unanswered(SendFailed):
    """The platform may have taken the request, but did not say so."""


class PlatformClient:
    """An HTTP client for one platform."""

    def __init__(self, base_url: str) -> None:
        """Prepare; the first call connects."""
        self._client = httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_SECONDS)

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Return the JSON of an answer.

        Raises:
            SendFailed: the platform is away or too busy; Unanswered if it may have done what was asked.
            SendRefused: it says that the request is wrong.
        """
        response = await self.request(method, path, **options)
        try:
            return response.json()
        except ValueError as error:
            raise Unanswered(f"{response.url.host} did not answer with JSON") from error

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return an answer that is no error; raises as `call` does."""
        try:
            response = await self._client.request(method, path, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SendFailed(f"{_host(path, self._client)} cannot be reached") from error
        except httpx.InvalidURL as error:
            raise SendRefused(f"{path!r} is no address") from error
        except httpx.HTTPError as error:
            raise Unanswered(f"{_host(path, self._client)} did not answer ({type(error).__name__})") from error
        host = response.url.host
        if response.status_code == 429 or response.status_code >= 500:
            raise SendFailed(f"{host} said {response.status_code}", _retry_after(response))
        if response.is_error:
            raise SendRefused(f"{host} said {response.status_code}: {response.text[:200]}", response.status_code)
        return response

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()


def _host(path: str, client: httpx.AsyncClient) -> str:
    return client.base_url.host or httpx.URL(path).host


def _retry_after(response: httpx.Response) -> float | None:
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None
