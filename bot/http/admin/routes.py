"""The parts of the admin API, under one address."""

from __future__ import annotations

from fastapi import APIRouter

from bot.http.admin import account, people

router = APIRouter(prefix="/api/admin", tags=["admin"])
for part in (account, people):
    router.include_router(part.router)
