"""Visitors of websites over HTTP: their tokens, where they come from, and how often they may ask."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from bot import messages
from bot.http.bots import bot_of, desk_of
from bot.http.errors import RequestError
from bot.http.limits import make_limit
from bot.settings import Settings
from bot.store.database import Database
from bot.visitors import TOKEN_SECONDS, Visitors, is_stranger

log = structlog.get_logger()


class Reception:
    """What every request of a visitor passes: the origin, the token, the limits."""

    def __init__(self, settings: Settings, secret: str, database: Database) -> None:
        """Read the settings; tokens are signed with the secret unless the settings have one."""
        chosen = settings.visitors
        identity = chosen.identity_secret.get_secret_value() if chosen.identity_secret else None
        self.visitors = Visitors(chosen.secret.get_secret_value() if chosen.secret else secret, identity)
        self._origins: dict[str, set[str]] = {}
        self.allow(settings)
        self._by_visitor = make_limit(database, "visitor", chosen.per_visitor_per_minute)
        self._by_address = make_limit(database, "address", chosen.per_address_per_minute)

    def allow(self, settings: Settings) -> None:
        """Serve the pages of the sites that the settings name for each bot, and no others'."""
        allowed = {"": settings.server.allowed_origins}
        allowed |= {name: bot.allowed_origins for name, bot in settings.bots.items()}
        self._origins = {name: {origin.rstrip("/") for origin in origins} for name, origins in allowed.items()}

    def allows(self, origin: str) -> bool:
        """Say whether a site is named for any bot."""
        return any({"*", origin} & origins for origins in self._origins.values())

    def visitor_of(self, request: Request) -> str | None:
        """Return the visitor whose token a request carries, None if it carries none; raises VisitorRejected."""
        token = _token_of(request)
        return None if token is None else self.visitors.read(token)

    def returning_visitor_of(self, request: Request) -> str | None:
        """Return the same, also by a token that has expired not too long ago."""
        token = _token_of(request)
        return None if token is None else self.visitors.read_for_renewal(token)

    async def admit_to_channel(self, request: Request, bot: str, visitor: str, trusted: bool) -> None:  # noqa: FBT001
        """Let a request of a bot's visitor on a channel pass; a trusted server speaks for many visitors."""
        self._check_origin(request, bot)
        await self.check_limits(request, visitor, one_address=not trusted)

    def check_origin(self, request: Request) -> None:
        """Refuse what a page of another site sends, unless the site is allowed."""
        self._check_origin(request, bot_of(request))

    def _check_origin(self, request: Request, bot: str) -> None:
        origin = request.headers.get("Origin")
        if origin is None or {"*", origin} & self._origins[bot]:
            return
        if urlsplit(origin).netloc == request.headers.get("Host"):
            return
        setting = f"bots.{bot}.allowed_origins" if bot else "server.allowed_origins"
        log.warning(f"origin not allowed; add it to {setting}", origin=origin)
        raise RequestError(403, "origin_not_allowed", f"{setting} does not name this site")

    async def check_limits(self, request: Request, visitor: str | None, *, one_address: bool = True) -> None:
        """Refuse whoever asks too often: a visitor, or an address, unless that stands for many."""
        address = request.client.host if request.client else "unknown"
        by_address = await self._by_address.take(address) if one_address else 0
        seconds = max(by_address, await self._by_visitor.take(visitor) if visitor else 0)
        if seconds:
            language = messages.as_language(request.headers.get("Accept-Language", "zh"))
            raise RequestError(429, "rate_limited", messages.too_often(language, seconds), retry_after=seconds)


def _token_of(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


def reception_of(request: Request) -> Reception:
    """Return the application's reception."""
    reception: Reception = request.app.state.reception
    return reception


async def admit_visitor(request: Request) -> str | None:
    """Let a request pass, and say whose it is."""
    reception = reception_of(request)
    reception.check_origin(request)
    visitor = reception.visitor_of(request)
    await reception.check_limits(request, visitor)
    return visitor


async def admit_returning_visitor(request: Request) -> str | None:
    """Let a request for a token pass, and say whose it was until now."""
    reception = reception_of(request)
    reception.check_origin(request)
    visitor = reception.returning_visitor_of(request)
    await reception.check_limits(request, visitor)
    return visitor


Visitor = Annotated[str | None, Depends(admit_visitor)]
ReturningVisitor = Annotated[str | None, Depends(admit_returning_visitor)]

router = APIRouter(prefix="/api", tags=["chat"])


class User(BaseModel):
    """A user of the site, vouched for by the site's signature."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1, max_length=200)
    signature: str = Field(max_length=64, description="HMAC-SHA256 of the id under visitors.identity_secret, in hex.")


class VisitorRequest(BaseModel):
    """A visitor's wish for a token; with one in the request, expired or not, for another of the same visitor."""

    model_config = ConfigDict(extra="forbid")
    user: User | None = None


@router.post("/visitor")
async def welcome_visitor(body: VisitorRequest, request: Request, visitor: ReturningVisitor) -> dict[str, Any]:
    """Give a visitor a token; conversations begun with it are theirs alone.

    A stranger who turns out to be a user of the site takes their conversations along.
    """
    visitors = reception_of(request).visitors
    known = visitors.identify(body.user.id, body.user.signature) if body.user else visitor
    if known is not None and visitor is not None and known != visitor and is_stranger(visitor):
        await desk_of(request).conversations.change_owner(visitor, known)
    known, token = visitors.issue(known)
    return {"visitor": known, "token": token, "expires_in": TOKEN_SECONDS}
