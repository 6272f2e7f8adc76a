"""WeCom's server API: an access token that all share, and errors in the terms of connectors.

https://developer.work.weixin.qq.com/document/path/90313 lists the codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from bot.errors import SendFailed, SendRefused
from connectors.http import PlatformClient
from connectors.token import AccessToken, StaleToken

API = "https://qyapi.weixin.qq.com"
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
        self._token = AccessToken(self._fetch_token)

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
            return checked(await self._client.call(method, path, params=signed, json=body))

        return await self._token.use(call_with)

    async def _fetch_token(self) -> tuple[str, float]:
        parameters = {"corpid": self._corp_id, "corpsecret": self._secret.get_secret_value()}
        got = checked(await self._client.call("GET", "/cgi-bin/gettoken", params=parameters))
        return str(got["access_token"]), float(got.get("expires_in") or DEFAULT_LIFE_SECONDS)


def checked(answer: Any) -> dict[str, Any]:
    """Return an answer of WeCom's that is no error."""
    if not isinstance(answer, dict):
        raise SendFailed("WeCom's answer is no JSON object")
    if error := error_in(answer):
        raise error
    return answer


def error_in(answer: Mapping[str, Any]) -> SendFailed | WecomError | None:
    """Return what an answer of WeCom's means, None if all went well."""
    code, message = int(answer.get("errcode") or 0), str(answer.get("errmsg", ""))
    if code == 0:
        return None
    if code in BUSY:
        return SendFailed(f"WeCom is busy ({code})", BUSY[code])
    if code in STALE_TOKEN:
        return StaleToken(f"WeCom does not take its own token any more ({code})")
    if code in WRONG_ACCOUNT:
        return SendFailed(f"WeCom does not know this {WRONG_ACCOUNT[code]} ({code}): correct it in the settings")
    if code == UNTRUSTED_ADDRESS:
        return SendFailed(
            "this server's address is not among the app's trusted IPs (企业可信IP): add it in WeCom's console"
        )
    return WecomError(code, message)
