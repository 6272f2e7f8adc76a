"""One customer's data, given out or erased: for owners."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from bot.http.admin.access import Admin, audit, parts_of
from bot.keeping.housekeeping import Housekeeper
from bot.store.customers import CustomerStore

router = APIRouter()

Name = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Erasure(BaseModel):
    """Who shall be erased."""

    model_config = ConfigDict(extra="forbid")
    name: Name


def _store(request: Request) -> CustomerStore:
    return CustomerStore(parts_of(request).database)


@router.get("/customers")
async def show_customer(name: Annotated[Name, Query()], request: Request, _actor: Admin) -> dict[str, Any]:
    """Say how much is kept of a customer.

    `name` is a visitor, the id of a user that your site vouches for, a conversation, or a user or thread of a channel.
    `in_faq` names entries that have the customer's own words; they are not erased with the customer.
    """
    return asdict(await _store(request).customer(name.strip()))


@router.get("/customers/export")
async def export_customer(name: Annotated[Name, Query()], request: Request, actor: Admin) -> dict[str, Any]:
    """Return all that is kept of a customer, by table."""
    held = await _store(request).export(name.strip())
    await audit(request, actor, "customer.exported", name.strip())
    return held


@router.post("/customers/erase")
async def erase_customer(body: Erasure, request: Request, actor: Admin) -> dict[str, Any]:
    """Delete all that is kept of a customer, for good; returns how much that was.

    The audit log keeps that it was done, and not whose it was. Other replicas' memory follows within 10 s.
    """
    erased = await _store(request).erase(body.name.strip(), actor.name)
    housekeeper: Housekeeper = request.app.state.housekeeper
    housekeeper.forget()
    return asdict(erased)
