"""Who may do what in the console: roles, scopes, passwords, and the secrets that prove who somebody is."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.errors import WeakPassword

Scope = Literal["knowledge:read", "knowledge:write", "conversations:read", "conversations:write", "admin"]
Role = Literal["viewer", "agent", "editor", "owner"]

_VIEWER: tuple[Scope, ...] = ("knowledge:read", "conversations:read")
_AGENT: tuple[Scope, ...] = (*_VIEWER, "conversations:write")
_EDITOR: tuple[Scope, ...] = (*_AGENT, "knowledge:write")
SCOPES: tuple[Scope, ...] = get_args(Scope)
SCOPES_OF_ROLE: dict[str, tuple[Scope, ...]] = {
    "viewer": _VIEWER,
    "agent": _AGENT,
    "editor": _EDITOR,
    "owner": (*_EDITOR, "admin"),
}

MIN_PASSWORD = 10
MAX_PASSWORD = 200
KEY_PREFIX = "fdk_"

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""argon2id with the parameters of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes."""


@dataclass(frozen=True)
class Actor:
    """Whoever acts: a user, or a program with a key; `role` is empty for programs."""

    name: str
    role: str
    scopes: tuple[str, ...]


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password. Takes some 20 ms of one core.

    Raises:
        WeakPassword: it is too short, or too long to be one.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise WeakPassword(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return _hasher.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Say whether a password is the hashed one; for a user who does not exist it takes as long to say no."""
    try:
        return _hasher.verify(password_hash or _nobodys_hash(), password[: MAX_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex())


def new_token() -> str:
    """Return a secret that cannot be guessed."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what is kept of a secret that has 256 random bits, for which a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(session_token: str) -> str:
    """Return what a page must send along with a session's cookie, and no other site can know."""
    return hmac.new(session_token.encode(), b"csrf", hashlib.sha256).hexdigest()
