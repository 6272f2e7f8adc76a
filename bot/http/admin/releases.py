"""Releases: what is new, publishing it, and going back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from bot.differences import compare
from bot.http.admin.access import KnowledgeReader, KnowledgeWriter, audit, parts_of
from bot.store.knowledge import KnowledgeStore
from bot.store.releases import Release
from knowledge.entries import Entry

router = APIRouter()


class NewRelease(BaseModel):
    """A word on what is published."""

    model_config = ConfigDict(extra="forbid")
    note: str | None = Field(None, max_length=500)


@router.get("/knowledge-bases/{base}/releases")
async def list_releases(base: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """List the releases, newest first; `live` is the one that answers, `progress` how far the next one is."""
    parts = parts_of(request)
    knowledge = parts.desk.knowledge
    listed = await parts.knowledge_store.releases(base)
    return {
        "releases": [{**_to_json(each.release), "entries": each.entries, "current": each.current} for each in listed],
        "live": knowledge.live_release(base),
        "progress": asdict(knowledge.progress) if knowledge.progress else None,
    }


@router.get("/knowledge-bases/{base}/draft")
async def show_draft(base: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """Say what publishing would change for customers."""
    store = parts_of(request).knowledge_store
    return compare(await _published(store, base), await store.entries(base)).to_dict()


@router.post("/knowledge-bases/{base}/releases", status_code=201)
async def publish(base: str, body: NewRelease, request: Request, actor: KnowledgeWriter) -> dict[str, Any]:
    """Publish what is being edited; customers are answered from it once its index is built."""
    release = await parts_of(request).knowledge_store.publish(base, created_by=actor.name, note=body.note)
    await audit(request, actor, "release.published", f"{base}/{release.number}", note=body.note)
    return _to_json(release)


@router.post("/knowledge-bases/{base}/releases/{number}/restore")
async def restore(
    base: str, number: Annotated[int, Field(ge=1, lt=1 << 31)], request: Request, actor: KnowledgeWriter
) -> dict[str, Any]:
    """Answer customers from an earlier release again; what is being edited stays as it is."""
    release = await parts_of(request).knowledge_store.restore(base, number)
    await audit(request, actor, "release.restored", f"{base}/{number}")
    return _to_json(release)


async def _published(store: KnowledgeStore, base: str) -> list[Entry]:
    current = next((each.release for each in await store.releases(base) if each.current), None)
    return await store.released_entries(current) if current else []


def _to_json(release: Release) -> dict[str, Any]:
    return {name: getattr(release, name) for name in ("number", "created_at", "created_by", "note")}
