"""The parts of the admin API, under one address."""

from __future__ import annotations

from fastapi import APIRouter

from bot.http.admin import (
    account,
    channels,
    customers,
    inbox,
    knowledge,
    people,
    releases,
    review,
    settings,
    statistics,
    testset,
    tryout,
    uploads,
)

router = APIRouter(prefix="/api/admin", tags=["admin"])
for part in (
    account,
    people,
    knowledge,
    uploads,
    releases,
    testset,
    tryout,
    inbox,
    channels,
    settings,
    review,
    statistics,
    customers,
):
    router.include_router(part.router)
