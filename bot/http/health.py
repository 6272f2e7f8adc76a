"""Is it alive, is it ready, how is it doing: for load balancers, for people, for Prometheus."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from bot.assembly import Parts
from bot.http.admin.channels import switchboard_of
from bot.http.metrics import exposition
from bot.models.local import LocalChatModel

router = APIRouter(tags=["operation"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request, response: Response) -> dict[str, Any]:
    """Say truly what works: 200 while questions can be answered, with every problem by name; else 503."""
    parts: Parts = request.app.state.parts
    desk = parts.desk
    problems = [*parts.problems, *switchboard_of(request).problems]
    database = "ok"
    try:
        async with parts.database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception:  # whatever the driver raises, the answer is the same
        database = "unreachable"
        problems.append("the database cannot be reached")
    if desk.remote is not None and not desk.remote.available:
        problems.append("the remote model failed repeatedly and is left alone for a while")
    ready = database == "ok" and all(each.knowledge.is_ready for each in parts.desks.values())
    response.status_code = 200 if ready else 503
    return {
        "ready": ready,
        "problems": problems,
        "chat_model": desk.local.name if desk.local else None,
        "embedding_model": desk.knowledge.embedder.name,
        "remote_model": desk.remote.name if desk.remote else None,
        "entries": len(desk.knowledge.entries),
        "database": database,
    }


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Give the numbers to Prometheus."""
    local = request.app.state.parts.desk.local
    engine = (local.counters, local.predicted_wait) if isinstance(local, LocalChatModel) else (None,)
    return Response(exposition(*engine), media_type=CONTENT_TYPE_LATEST)
