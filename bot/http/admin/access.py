"""Who may call the admin API: users with a session and its CSRF token, programs with a key."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from bot.accounts import Actor, Scope, csrf_of
from bot.assembly import Parts
from bot.http.errors import RequestError
from bot.http.limits import Limit, make_limit
from bot.store.audit import AuditStore
from bot.store.confidence import ConfidenceStore
from bot.store.database import Database
from bot.store.inbox import InboxStore
from bot.store.keys import KeyStore
from bot.store.testcases import TestCaseStore
from bot.store.users import SESSION_LASTS, UserStore

COOKIE = "frontdesk_session"
COOKIE_PATH = "/api/admin"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LOGINS_PER_MINUTE = 20
"""From one address, whatever the names."""

_KEY = re.compile(r"fdk_[\w-]{20,100}")


@dataclass(frozen=True)
class Backoffice:
    """What the admin API keeps beside the desk; the one-time `setup_token` makes the first owner."""

    users: UserStore
    keys: KeyStore
    audit: AuditStore
    inbox: InboxStore
    confidence: ConfidenceStore
    testcases: TestCaseStore
    setup_token: str
    logins: Limit

    @classmethod
    def open(cls, database: Database, setup_token: str) -> Backoffice:
        """Put it together."""
        return cls(
            users=UserStore(database),
            keys=KeyStore(database),
            audit=AuditStore(database),
            inbox=InboxStore(database),
            confidence=ConfidenceStore(database),
            testcases=TestCaseStore(database),
            setup_token=setup_token,
            logins=make_limit(database, "login", LOGINS_PER_MINUTE),
        )


def parts_of(request: Request) -> Parts:
    """Return the application's parts."""
    parts: Parts = request.app.state.parts
    return parts


def backoffice_of(request: Request) -> Backoffice:
    """Return the application's back office."""
    backoffice: Backoffice = request.app.state.backoffice
    return backoffice


def give_session(request: Request, response: Response, token: str) -> None:
    """Have the browser keep a session's token where no script reads it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=7 * int(SESSION_LASTS.total_seconds()),
        path=COOKIE_PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


async def find_actor(request: Request) -> Actor:
    """Return who sent a request.

    Raises:
        RequestError: 401 if nobody known did, 403 if a session's CSRF token is missing.
    """
    backoffice = backoffice_of(request)
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and _KEY.fullmatch(key):
        actor = await backoffice.keys.actor(key)
        if actor is None:
            raise RequestError(401, "unauthenticated", "the API key is not valid")
        return actor
    token = request.cookies.get(COOKIE)
    actor = await backoffice.users.actor(token) if token else None
    if token is None or actor is None:
        raise RequestError(401, "unauthenticated", "log in first, or send an API key")
    sent = request.headers.get(CSRF_HEADER, "")
    if request.method not in SAFE_METHODS and not hmac.compare_digest(sent.encode(), csrf_of(token).encode()):
        raise RequestError(403, "csrf", f"the header {CSRF_HEADER} is missing or wrong")
    return actor


def _requires(scope: Scope) -> Callable[[Request], Awaitable[Actor]]:
    async def check(request: Request) -> Actor:
        actor = await find_actor(request)
        if scope not in actor.scopes:
            raise RequestError(403, "forbidden", f"{actor.name} lacks the permission {scope}")
        return actor

    return check


AnyActor = Annotated[Actor, Depends(find_actor)]
KnowledgeReader = Annotated[Actor, Depends(_requires("knowledge:read"))]
KnowledgeWriter = Annotated[Actor, Depends(_requires("knowledge:write"))]
ConversationReader = Annotated[Actor, Depends(_requires("conversations:read"))]
ConversationWriter = Annotated[Actor, Depends(_requires("conversations:write"))]
Admin = Annotated[Actor, Depends(_requires("admin"))]


async def audit(request: Request, actor: Actor, action: str, target: str, **details: Any) -> None:
    """Write down what somebody did."""
    await backoffice_of(request).audit.add(actor.name, action, target, details)
