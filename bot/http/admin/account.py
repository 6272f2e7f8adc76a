"""Logging in and out, one's own password, and the first owner."""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bot.accounts import Actor, csrf_of
from bot.errors import NameTaken
from bot.http.admin.access import COOKIE, COOKIE_PATH, AnyActor, audit, backoffice_of, give_session
from bot.http.errors import RequestError

router = APIRouter()


class Login(BaseModel):
    """A user's name and password."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    password: str = Field(max_length=1_000)


class Setup(Login):
    """The first owner's, with the token of the link that was printed at start."""

    token: str = Field(max_length=100)


class NewPassword(BaseModel):
    """The password that one has, and the one that one wants."""

    model_config = ConfigDict(extra="forbid")
    old: str = Field(max_length=1_000)
    new: str = Field(max_length=1_000)


@router.get("/me")
async def me(request: Request, actor: AnyActor) -> dict[str, Any]:
    """Say who is logged in, with the token that unsafe requests must carry."""
    return _to_json(actor, request.cookies.get(COOKIE, ""))


@router.get("/setup")
async def needs_setup(request: Request) -> dict[str, bool]:
    """Say whether the first owner is still to be made."""
    return {"needed": await backoffice_of(request).users.is_empty()}


@router.post("/setup")
async def set_up(body: Setup, request: Request, response: Response) -> dict[str, Any]:
    """Make the first owner, and log them in."""
    backoffice = backoffice_of(request)
    if not hmac.compare_digest(body.token.encode(), backoffice.setup_token.encode()):
        raise RequestError(403, "wrong_token", "this link is not valid any more; the newest is printed at start")
    try:
        await backoffice.users.add(body.name, body.password, "owner", first=True)
    except NameTaken as error:
        raise RequestError(409, "set_up_already", str(error)) from error
    return await _open_session(body, request, response)


@router.post("/login")
async def log_in(body: Login, request: Request, response: Response) -> dict[str, Any]:
    """Open a session; its cookie cannot be read by scripts."""
    return await _open_session(body, request, response)


@router.post("/logout", status_code=204)
async def log_out(request: Request, _actor: AnyActor) -> Response:
    """Close the session."""
    await backoffice_of(request).users.log_out(request.cookies.get(COOKIE, ""))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=COOKIE_PATH)
    return response


@router.post("/me/password", status_code=204)
async def change_password(body: NewPassword, request: Request, actor: AnyActor) -> Response:
    """Change one's password; all of one's sessions but this one end."""
    if not actor.role:
        raise RequestError(403, "forbidden", "a key has no password")
    users = backoffice_of(request).users
    await users.change_password(actor.name, body.old, body.new)
    await audit(request, actor, "password.changed", actor.name)
    response = Response(status_code=204)
    give_session(request, response, await users.log_in(actor.name, body.new))
    return response


async def _open_session(login: Login, request: Request, response: Response) -> dict[str, Any]:
    backoffice = backoffice_of(request)
    address = request.client.host if request.client else "unknown"
    if seconds := await backoffice.logins.take(address):
        raise RequestError(429, "locked", "too many logins from this address", retry_after=seconds)
    token = await backoffice.users.log_in(login.name, login.password)
    actor = await backoffice.users.actor(token)
    if actor is None:
        raise RequestError(401, "unauthenticated", "the account was closed at this moment")
    await audit(request, actor, "login", actor.name, address=address)
    give_session(request, response, token)
    return _to_json(actor, token)


def _to_json(actor: Actor, token: str) -> dict[str, Any]:
    user = {"name": actor.name, "role": actor.role, "scopes": actor.scopes}
    return {"user": user, "csrf": csrf_of(token) if token else None}
