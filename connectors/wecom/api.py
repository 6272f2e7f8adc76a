"""WeCom's server API: an access token that all share, and errors in the terms of connectors.

https://developer.work.weixin.qq.com/document/path/90313 lists the codes.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from pydantic import SecretStr

from bot.errors import SendFailed, SendRefused
from connectors.http import PlatformClient

API = "https://qyapi.weixin.qq.com"
REFRESH_EARLY_SECONDS = 300
DEFAULT_LIFE_SECONDS = 7_200

STALE_TOKEN = (40014, 42001)
WRONG_ACCOUNT = {40001: "secret", 40013: "corp_id", 40056: "agent_id", 301002: "agent_id"}
BUSY = {-1: 2.0, 45009: 60.0, 45033: 5.0}
"""Too busy, and too many calls: with the seconds to wait."""

UNTRUSTED_ADDRESS = 60020


class WecomError(SendRefused):
    """WeCom said no; `code` is its errcode."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the code."""
        super().__init__(f"WeCom said {code}: {message}")
        self.code = code


class WecomApi:
    """Calls on behalf of one app."""

    def __init__(self, corp_id: str, secret: SecretStr, base_url: str = API) -> None:
        """Prepare; the first call fetches a token."""
        self._corp_id, self._secret = corp_id, secret
        self._client = PlatformClient(base_url)
        self._token, self._refresh_at = "", 0.0
        self._fetching = asyncio.Lock()

    async def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """Call with GET; raises as `post` does."""
        return await self._call("GET", path, parameters)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call with a JSON body; a token that is not valid any more is replaced once.

        Raises:
            SendFailed: WeCom is away or busy, or the account is set up wrongly, which somebody may mend.
            WecomError: WeCom will not do this.
        """
        return await self._call("POST", path, {}, body)

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()

    async def _call(self, method: str, path: str, parameters: dict[str, Any], body: Any = None) -> dict[str, Any]:
        async def call_with(token: str) -> dict[str, Any]:
            signed = {**parameters, "access_token": token}
            return _checked(await self._client.call(method, path, params=signed, json=body))

        token = await self._current_token()
        try:
            return await call_with(token)
        except WecomError as error:
            if error.code not in STALE_TOKEN:
                raise
        return await call_with(await self._current_token(instead_of=token))

    async def _current_token(self, *, instead_of: str | None = None) -> str:
        """Return the token, a new one if it is about to expire or is the one that was refused."""
        async with self._fetching:
            if self._token == instead_of or time.monotonic() >= self._refresh_at:
                parameters = {"corpid": self._corp_id, "corpsecret": self._secret.get_secret_value()}
                got = _checked(await self._client.call("GET", "/cgi-bin/gettoken", params=parameters))
                self._token = str(got["access_token"])
                life = int(got.get("expires_in") or DEFAULT_LIFE_SECONDS)
                self._refresh_at = time.monotonic() + life - min(REFRESH_EARLY_SECONDS, life / 2)
            return self._token


def _checked(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise SendFailed("WeCom's answer is no JSON object")
    code, message = int(answer.get("errcode") or 0), str(answer.get("errmsg", ""))
    if code == 0:
        return answer
    if code in BUSY:
        raise SendFailed(f"WeCom is busy ({code})", BUSY[code])
    if code in WRONG_ACCOUNT:
        raise SendFailed(f"WeCom does not know this {WRONG_ACCOUNT[code]} ({code}): correct it in the settings")
    if code == UNTRUSTED_ADDRESS:
        raise SendFailed(
            "this server's address is not among the app's trusted IPs (企业可信IP): add it in WeCom's console"
        )
    raise WecomError(code, message)
