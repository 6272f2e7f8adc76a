"""What the tests prove who they are with, and whether any of it stands in a log that a server wrote meanwhile."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from pydantic import SecretStr

SHORTEST = 8
"""A shorter secret could be a word that stands in a log for another reason."""

PROVING_HEADERS = ("Authorization", "Cookie", "X-CSRF-Token", "api_access_token")
SECRET_NAMES = re.compile(r"secret|token|password|api_?key|aes_key|^(?:old|new)$", re.IGNORECASE)
_PIECE = re.compile(r"[\w-]{6,}")
_URL_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")

SETUP_LINK = "/admin#/setup/"
"""What follows is printed for whoever starts a server, and is of use once."""


class Leaks:
    """Secrets that were used, and what was logged, in one process of the tests."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.logged: list[str] = []

    def note(self, secret: str) -> None:
        """Remember a secret."""
        if len(secret) >= SHORTEST:
            self.secrets.add(secret)

    def note_named(self, values: Mapping[str, Any]) -> None:
        """Remember those of some values whose names say that they are secrets, and passwords within addresses."""
        for name, value in values.items():
            if isinstance(value, str):
                if SECRET_NAMES.search(name):
                    self.note(value)
                for password in _URL_PASSWORD.findall(value):
                    self.note(password)

    def note_request(self, request: httpx.Request) -> None:
        """Remember what a request proves with."""
        for header in PROVING_HEADERS:
            for part in re.split(r"[ =;]+", request.headers.get(header, "")):
                if part.lower() not in ("bearer", "basic", "frontdesk_session"):
                    self.note(part)
        self.note_named(dict(request.url.params))
        try:
            body = json.loads(request.content)
        except (ValueError, RecursionError, httpx.RequestNotRead, httpx2.RequestNotRead):
            return
        if isinstance(body, dict):
            self.note_named(body)

    def keep(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Remember what is logged in this process: a processor of structlog's."""
        self.logged.append(" ".join(f"{name}={value}" for name, value in event.items() if name != "exc_info"))
        if event.get("exc_info"):
            self.logged.append(traceback.format_exc())
        return event

    def found(self, logs: Iterable[Path]) -> Iterator[tuple[str, str]]:
        """Return each secret that stands in a log, and a line of it."""
        texts = [*self.logged, *(path.read_text(encoding="utf-8", errors="replace") for path in logs)]
        pieces = set(_PIECE.findall("\n".join(texts)))
        for secret in self.secrets:
            own = _PIECE.findall(secret)
            if not own or max(own, key=len) in pieces:
                lines = (line for text in texts for line in text.splitlines() if secret in line)
                yield from ((secret, line) for line in lines if f"{SETUP_LINK}{secret}" not in line)


LEAKS = Leaks()


def _noting(make: Callable[..., None]) -> Callable[..., None]:
    def make_and_note(request: Any, *arguments: Any, **options: Any) -> None:
        make(request, *arguments, **options)
        LEAKS.note_request(request)

    return make_and_note


@pytest.fixture(autouse=True, scope="session")
def no_secret_in_a_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail this process's tests at their end if a server's log has a secret that they used."""
    with pytest.MonkeyPatch.context() as patch:
        reveal = SecretStr.get_secret_value

        def noting_secret(secret: SecretStr) -> str:
            LEAKS.note(reveal(secret))
            return reveal(secret)

        for kind in (httpx.Request, httpx2.Request):  # the second is the test client's
            patch.setattr(kind, "__init__", _noting(kind.__init__))
        patch.setattr(SecretStr, "get_secret_value", noting_secret)
        yield
    found = list(LEAKS.found(tmp_path_factory.getbasetemp().rglob("*.log")))
    if found:
        pytest.fail("secrets in logs:\n" + "\n".join(f"{secret!r} in {line[:300]}" for secret, line in found[:20]))
