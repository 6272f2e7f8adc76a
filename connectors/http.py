"""Calling a platform's HTTP API: what went wrong, in the terms of connectors."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx

from bot.errors import SendFailed, SendRefused

TIMEOUT_SECONDS = 10.0
MAX_WAIT_SECONDS = 3_600.0
"""However long a platform says it is busy, it is asked again after an hour."""


class Unanswered(SendFailed):
    """The platform may have taken the request, but did not say so."""


class RequestRefused(SendRefused):
    """The platform says that a request is wrong; `body` is what it said, {} if that is no JSON object."""

    def __init__(self, response: httpx.Response) -> None:
        """Keep what it said."""
        super().__init__(
            f"{response.url.host} said {response.status_code}: {response.text[:200]}", response.status_code
        )
        self.body: dict[str, Any] = {}
        with suppress(ValueError):
            said = response.json()
            self.body = said if isinstance(said, dict) else {}


class PlatformClient:
    """An HTTP client for one platform."""

    def __init__(self, base_url: str) -> None:
        """Prepare; the first call connects."""
        self._client = httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_SECONDS)

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Return the JSON of an answer.

        Raises:
            SendFailed: the platform is away or too busy; Unanswered if it may have done what was asked.
            RequestRefused: it says that the request is wrong.
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
            raise SendFailed(f"{host} said {response.status_code}", retry_after(response.headers))
        if response.is_error:
            raise RequestRefused(response)
        return response

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()


def _host(path: str, client: httpx.AsyncClient) -> str:
    return client.base_url.host or httpx.URL(path).host


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a platform wants to be left alone, None if it does not say."""
    seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(float(seconds), MAX_WAIT_SECONDS) if seconds.isdecimal() else None
