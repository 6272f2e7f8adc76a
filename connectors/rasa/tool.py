"""What the tools share: actions of rasa-sdk that ask the company's own services over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr
from rasa_sdk import Tracker

from bot.messages import as_language
from knowledge.text import Language, detect_language

TIMEOUT_SECONDS = 8.0


def text_of(tracker: Tracker) -> str:
    """Return what the customer wrote last."""
    return str(tracker.latest_message.get("text") or "")


def language_of(tracker: Tracker) -> Language:
    """Return the customer's language; Rasa itself does not say it."""
    known = (tracker.latest_message.get("metadata") or {}).get("language")
    return as_language(str(known or detect_language(text_of(tracker))))


async def look_up(url: str, tracker: Tracker, authorization: SecretStr, **values: str) -> httpx.Response:
    """Ask a service of the company's; {names} in its address are filled in. Raises httpx.HTTPError."""
    for name, value in values.items():
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    headers = {"Accept": "application/json"}
    if authorization.get_secret_value():
        headers["Authorization"] = authorization.get_secret_value()
    if tracker.user_id:
        headers["X-FrontDesk-Visitor"] = quote(tracker.user_id, safe=":@")
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
        return await client.get(url, headers=headers)


def plain(values: Any) -> dict[str, str]:
    """Return the fields of a JSON object that can be said."""
    if not isinstance(values, dict):
        raise TypeError("the service did not answer with a JSON object")
    return {name: str(value) for name, value in values.items() if isinstance(value, str | int | float)}
