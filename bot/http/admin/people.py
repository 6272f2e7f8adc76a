"""Users, keys and the audit log: for owners."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bot.accounts import SCOPES, Role, Scope
from bot.http.admin.access import Admin, audit, backoffice_of

router = APIRouter()

RowId = Annotated[int, Field(ge=1, lt=1 << 31)]


class NewUser(BaseModel):
    """A user to be made."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    password: str = Field(max_length=1_000)
    role: Role


class UserChange(BaseModel):
    """What shall be different about a user; the rest stays."""

    model_config = ConfigDict(extra="forbid")
    role: Role | None = None
    active: bool | None = None
    password: str | None = Field(None, max_length=1_000)


class NewKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    scopes: list[Scope] = Field(min_length=1)


@router.get("/users")
async def list_users(request: Request, _actor: Admin) -> dict[str, Any]:
    """List the console's users."""
    return {"users": [asdict(user) for user in await backoffice_of(request).users.users()]}


@router.post("/users", status_code=201)
async def add_user(body: NewUser, request: Request, actor: Admin) -> dict[str, Any]:
    """Make a user."""
    user = await backoffice_of(request).users.add(body.name, body.password, body.role)
    await audit(request, actor, "user.added", user.name, role=user.role)
    return asdict(user)


@router.patch("/users/{user_id}")
async def change_user(user_id: RowId, body: UserChange, request: Request, actor: Admin) -> dict[str, Any]:
    """Change a user's role, access or password."""
    user = await backoffice_of(request).users.change(
        user_id, role=body.role, active=body.active, password=body.password
    )
    changes = body.model_dump(exclude_none=True, exclude={"password"})
    if body.password:
        changes |= {"password": "changed"}  # nosec B105 - a word for the audit log
    await audit(request, actor, "user.changed", user.name, **changes)
    return asdict(user)


@router.delete("/users/{user_id}", status_code=204)
async def delete_user(user_id: RowId, request: Request, actor: Admin) -> Response:
    """Delete a user; what they did stays in the audit log."""
    name = await backoffice_of(request).users.delete(user_id)
    await audit(request, actor, "user.deleted", name)
    return Response(status_code=204)


@router.get("/keys")
async def list_keys(request: Request, _actor: Admin) -> dict[str, Any]:
    """List the API keys, and the scopes that a key can have."""
    return {"keys": [asdict(key) for key in await backoffice_of(request).keys.keys()], "scopes": SCOPES}


@router.post("/keys", status_code=201)
async def add_key(body: NewKey, request: Request, actor: Admin) -> dict[str, Any]:
    """Make a key, which is shown in this answer and never again."""
    key, secret = await backoffice_of(request).keys.add(body.name, body.scopes, actor.name)
    await audit(request, actor, "key.added", key.name, scopes=key.scopes)
    return {**asdict(key), "key": secret}


@router.delete("/keys/{key_id}", status_code=204)
async def delete_key(key_id: RowId, request: Request, actor: Admin) -> Response:
    """Delete a key, which ends its use at once."""
    name = await backoffice_of(request).keys.delete(key_id)
    await audit(request, actor, "key.deleted", name)
    return Response(status_code=204)


@router.get("/audit")
async def list_audit(
    request: Request,
    _actor: Admin,
    before: Annotated[int | None, Query(ge=1, lt=1 << 31)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List what was done, newest first; `before` an identifier gives the next page."""
    return {"entries": [asdict(entry) for entry in await backoffice_of(request).audit.entries(before, limit)]}
