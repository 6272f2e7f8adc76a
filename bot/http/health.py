"""Is it alive, is it ready, how is it doing: for load balancers, for people, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from bot.assembly import Parts
from bot.http.admin.channels import switchboard_of
from bot.http.gauges import exposition

router = APIRouter(tags=["operation"])

DATABASE_SECONDS = 2.0
"""A database that takes longer to say anything is as good as away; probes do not wait longer either."""


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request, response: Response) -> dict[str, Any]:
    """Say truly what works: 200 while questions can be answered, with every problem by name; else 503."""
    state = request.app.state
    parts: Parts = state.parts
    desk = parts.desk
    database = await _database(parts)
    ready = _is_ready(request, database)
    response.status_code = 200 if ready else 503
    problems = [*parts.problems, *switchboard_of(request).problems]
    if database != "ok":
        problems.append("the database cannot be reached")
    if desk.remote is not None and not desk.remote.available:
        problems.append("the remote model failed repeatedly and is left alone for a while")
    if state.drain.begun:
        problems.append("it was asked to stop: what has begun ends, new questions are refused")
    return {
        "ready": ready,
        "problems": problems,
        "notes": [*_notes(parts)],
        "chat_model": desk.local.name if desk.local else None,
        "embedding_model": desk.knowledge.embedder.name,
        "remote_model": desk.remote.name if desk.remote else None,
        "entries": len(desk.knowledge.entries),
        "database": database,
        "draining": state.drain.begun,
    }


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Give the numbers to Prometheus."""
    ready = _is_ready(request, await _database(request.app.state.parts))
    return Response(await exposition(request.app.state, ready=ready), media_type=CONTENT_TYPE_LATEST)


async def _database(parts: Parts) -> str:
    return "ok" if await parts.database.answers(DATABASE_SECONDS) else "unreachable"


def _is_ready(request: Request, database: str) -> bool:
    state = request.app.state
    searchable = all(desk.knowledge.is_ready for desk in state.parts.desks.values())
    return database == "ok" and searchable and not state.drain.begun


def _notes(parts: Parts) -> Iterator[str]:
    """Yield what is going on and no problem."""
    for name, desk in parts.desks.items():
        if progress := desk.knowledge.progress:
            whose = f" of {name}" if name else ""
            yield f"a new index{whose} is being built, {progress.done:,} of {progress.total:,} texts are embedded"
