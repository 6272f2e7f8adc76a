"""Running actions on an action server, as Rasa does: POST of JSON, with the domain only when it is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml
from pydantic import BaseModel, Field, ValidationError

from bot.actions.base import ActionResult
from bot.errors import ActionDeclined, ActionError, SettingsError

RASA_VERSION = "3.21.1"
"""Of the rasa-sdk that this was tried with; servers of other versions say so in their log."""

DOMAIN_WANTED = 449


class BasicAuth(BaseModel):
    """A name and a password."""

    username: str
    password: str


class Endpoint(BaseModel):
    """How to reach an action server: `action_endpoint` of Rasa's endpoints.yml."""

    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    params: dict[str, str] = Field(default_factory=dict)
    basic_auth: BasicAuth | None = None
    token: str | None = None
    token_name: str = "token"  # noqa: S105 - a name, as Rasa has it


def read_endpoint(server: str) -> Endpoint:
    """Return the endpoint that an address, or a file such as Rasa's endpoints.yml, names; raises SettingsError."""
    if server.startswith(("http://", "https://")):
        return Endpoint(url=server)
    content = read_yaml(Path(server), "actions.server")
    try:
        return Endpoint.model_validate(content.get("action_endpoint"))
    except ValidationError as error:
        raise SettingsError(f"actions.server: {server} names no action_endpoint with a url") from error


def read_yaml(path: Path, setting: str) -> dict[str, Any]:
    """Return the content of a file of Rasa's; raises SettingsError."""
    try:
        content = yaml.safe_load(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{setting}: {path} cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{setting}: {path} is no YAML file") from error
    if not isinstance(content, dict):
        raise SettingsError(f"{setting}: {path} has no keys")
    return content


class RemoteActions:
    """Runs whatever an action server has."""

    def __init__(self, endpoint: Endpoint, timeout_seconds: float) -> None:
        """Prepare; the first action connects."""
        self._url = endpoint.url
        self._params = endpoint.params | ({endpoint.token_name: endpoint.token} if endpoint.token else {})
        basic = endpoint.basic_auth
        self._client = httpx.AsyncClient(
            headers=endpoint.headers,
            auth=(basic.username, basic.password) if basic else None,
            timeout=timeout_seconds,
        )

    def offers(self, name: str) -> bool:
        """Say that it may well have it."""
        return bool(name)

    async def run(self, name: str, tracker: Mapping[str, Any], domain: Mapping[str, Any]) -> ActionResult:
        """Have an action run; raises ActionError, ActionDeclined."""
        call = {
            "next_action": name,
            "sender_id": tracker["sender_id"],
            "tracker": tracker,
            "version": RASA_VERSION,
            "domain_digest": hashlib.sha256(json.dumps(domain, sort_keys=True).encode()).hexdigest(),
        }
        response = await self._post(call)
        if response.status_code == DOMAIN_WANTED:
            response = await self._post({**call, "domain": domain})
        return _to_result(name, response)

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()

    async def _post(self, call: Mapping[str, Any]) -> httpx.Response:
        try:
            return await self._client.post(self._url, params=self._params, json=call)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ActionError(f"the action server did not answer: {type(error).__name__}: {error}") from error


def _to_result(name: str, response: httpx.Response) -> ActionResult:
    try:
        body = response.json()
    except ValueError as error:
        raise ActionError(f"the action server said {response.status_code}, and no JSON, to {name}") from error
    if response.status_code == 400 and isinstance(body, dict) and "action_name" in body:
        raise ActionDeclined(str(body.get("error")))
    if response.is_error:
        said = body.get("error") if isinstance(body, dict) else body
        raise ActionError(f"the action server said {response.status_code} to {name}: {str(said)[:200]}")
    if not isinstance(body, dict):
        raise ActionError(f"the action server ran nothing for {name}")
    events, responses = body.get("events") or [], body.get("responses") or []
    return ActionResult(
        [event for event in events if isinstance(event, dict)], [each for each in responses if isinstance(each, dict)]
    )
