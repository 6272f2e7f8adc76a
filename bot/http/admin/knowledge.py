"""Knowledge bases and their entries."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from datetime import date, datetime
from itertools import islice
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bot.http.admin.access import KnowledgeReader, KnowledgeWriter, audit, parts_of
from bot.http.errors import RequestError
from bot.store.entries import version_of
from bot.store.releases import BaseOverview
from knowledge.duplicates import find_duplicates
from knowledge.entries import Entry, Status, with_language
from knowledge.exporting import to_csv, to_json_lines
from knowledge.importing.files import MAX_ANSWER, MAX_KEY, MAX_QUESTION, key_of
from knowledge.text import bare, clean

router = APIRouter()

MAX_PAIRS = 200
MAX_KEYS = 10_000
BaseName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^/\s](?:[^/]*[^/\s])?$")]
Question = Annotated[str, Field(max_length=MAX_QUESTION)]
Tag = Annotated[str, Field(min_length=1, max_length=60)]
BulkAction = Literal["publish", "draft", "disable", "delete", "add_tag", "remove_tag"]


class NewBase(BaseModel):
    """A knowledge base to be made."""

    model_config = ConfigDict(extra="forbid")
    name: BaseName


class EntryBody(BaseModel):
    """An entry as it shall be. Without a key, one is made from the question."""

    model_config = ConfigDict(extra="forbid")
    key: str | None = Field(None, min_length=1, max_length=MAX_KEY, pattern=r"^[^/\s](?:[^/]*[^/\s])?$")
    question: Question
    answer: str = Field(max_length=MAX_ANSWER)
    variants: list[Question] = Field([], max_length=200)
    language: str = Field("", max_length=20)
    tags: list[Tag] = Field([], max_length=50)
    status: Status = "published"
    valid_from: date | None = None
    valid_until: date | None = None
    action: str | None = Field(None, max_length=100)

    @field_validator("question", "answer")
    @classmethod
    def _not_blank(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("it is empty")
        return text.strip()

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> EntryBody:
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise ValueError("valid_until: it ends before it begins")
        return self

    def to_entry(self, key: str | None = None) -> Entry:
        """Return the entry, with variants that say something new."""
        question = clean(self.question)
        variants = {bare(variant): clean(variant) for variant in reversed(self.variants) if bare(variant)}
        variants.pop(bare(question), None)
        entry = Entry(
            key=key or self.key or key_of(question),
            question=question,
            answer=self.answer,
            variants=tuple(reversed(variants.values())),
            language=self.language,
            tags=tuple(dict.fromkeys(tag.strip() for tag in self.tags if tag.strip())),
            status=self.status,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            action=self.action or None,
        )
        return with_language(entry)


class BulkEdit(BaseModel):
    """One change for many entries."""

    model_config = ConfigDict(extra="forbid")
    keys: list[str] = Field(min_length=1, max_length=MAX_KEYS)
    action: BulkAction
    tag: Tag | None = None

    @model_validator(mode="after")
    def _has_its_tag(self) -> BulkEdit:
        if self.action in ("add_tag", "remove_tag") and not self.tag:
            raise ValueError("tag: which one?")
        return self

    def apply(self, entry: Entry) -> Entry:
        """Return the entry as it is afterwards."""
        statuses: dict[str, Status] = {"publish": "published", "draft": "draft", "disable": "disabled"}
        if self.action in statuses:
            return replace(entry, status=statuses[self.action])
        tags = [tag for tag in entry.tags if tag != self.tag]
        if self.action == "add_tag":
            tags = list(dict.fromkeys([*entry.tags, self.tag or ""]))
        return replace(entry, tags=tuple(tags))


@router.get("/knowledge-bases")
async def list_bases(request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """List the knowledge bases; `changed` says that customers do not see the newest edits yet."""
    overview = await parts_of(request).knowledge_store.overview()
    return {"knowledge_bases": [_base_to_json(base) for base in overview]}


@router.post("/knowledge-bases", status_code=201)
async def add_base(body: NewBase, request: Request, actor: KnowledgeWriter) -> dict[str, str]:
    """Make an empty knowledge base."""
    await parts_of(request).knowledge_store.add_base(body.name)
    await audit(request, actor, "knowledge_base.added", body.name)
    return {"name": body.name}


@router.get("/knowledge-bases/{base}/entries")
async def list_entries(
    base: str,
    request: Request,
    _actor: KnowledgeReader,
    search: Annotated[str, Query(max_length=200)] = "",
    status: Status | None = None,
    tag: Annotated[str | None, Query(max_length=60)] = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """Look for entries, newest change first; tags and statuses are counted over the whole knowledge base."""
    page = await parts_of(request).knowledge_store.page(
        base, search=search, status=status, tag=tag, offset=offset, limit=limit
    )
    return {
        "total": page.total,
        "entries": [entry_to_json(entry, at) for entry, at in page.entries],
        "tags": [{"tag": name, "count": count} for name, count in page.tags],
        "statuses": page.statuses,
    }


@router.post("/knowledge-bases/{base}/entries", status_code=201)
async def add_entry(base: str, body: EntryBody, request: Request, actor: KnowledgeWriter) -> dict[str, Any]:
    """Add an entry to what is being edited."""
    entry = body.to_entry()
    await parts_of(request).knowledge_store.add(base, entry, actor=actor.name)
    await audit(request, actor, "entry.added", f"{base}/{entry.key}")
    return entry_to_json(entry)


@router.post("/knowledge-bases/{base}/entries/bulk")
async def edit_entries(base: str, body: BulkEdit, request: Request, actor: KnowledgeWriter) -> dict[str, int]:
    """Change many entries alike, all or none."""
    store = parts_of(request).knowledge_store
    if body.action == "delete":
        changed = await store.delete(base, body.keys, actor=actor.name)
    else:
        changed = await store.edit(base, body.keys, body.apply, actor=actor.name)
    await audit(request, actor, f"entries.{body.action}", base, changed=changed, tag=body.tag)
    return {"changed": changed}


@router.get("/knowledge-bases/{base}/entries/{key:path}/history")
async def show_history(base: str, key: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """List what became of an entry, newest first."""
    changes = await parts_of(request).knowledge_store.history(base, key)
    return {"changes": [asdict(change) for change in changes]}


@router.get("/knowledge-bases/{base}/entries/{key:path}")
async def show_entry(base: str, key: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """Return one entry as it is being edited."""
    return entry_to_json(await parts_of(request).knowledge_store.entry(base, key))


@router.put("/knowledge-bases/{base}/entries/{key:path}")
async def change_entry(
    base: str,
    key: str,
    body: EntryBody,
    request: Request,
    actor: KnowledgeWriter,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> dict[str, Any]:
    """Change an entry; with its `version` in If-Match, only if nobody else did meanwhile."""
    if body.key not in (None, key):
        raise RequestError(400, "invalid_request", "key: the key of an entry stays; delete it and add another")
    entry, version = body.to_entry(key), if_match.strip('"') if if_match else None
    await parts_of(request).knowledge_store.replace(base, entry, actor=actor.name, version=version)
    await audit(request, actor, "entry.changed", f"{base}/{key}")
    return entry_to_json(entry)


@router.delete("/knowledge-bases/{base}/entries/{key:path}", status_code=204)
async def delete_entry(base: str, key: str, request: Request, actor: KnowledgeWriter) -> Response:
    """Delete an entry from what is being edited; its history stays."""
    await parts_of(request).knowledge_store.delete(base, [key], actor=actor.name)
    await audit(request, actor, "entry.deleted", f"{base}/{key}")
    return Response(status_code=204)


@router.get("/knowledge-bases/{base}/export")
async def export_entries(
    base: str, request: Request, _actor: KnowledgeReader, kind: Annotated[Literal["csv", "jsonl"], Query()] = "csv"
) -> Response:
    """Return all entries as a file that can be uploaded again unchanged."""
    store = parts_of(request).knowledge_store
    await store.releases(base)  # raises if there is no such knowledge base
    entries = await store.entries(base)
    text, media_type = (to_csv(entries), "text/csv") if kind == "csv" else (to_json_lines(entries), "application/jsonl")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(base)}.{kind}"}
    return Response(text, media_type=f"{media_type}; charset=utf-8", headers=headers)


@router.get("/knowledge-bases/{base}/duplicates")
async def list_duplicates(base: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """List entries that ask nearly the same, those that answer differently first."""
    entries = await parts_of(request).knowledge_store.entries(base)
    live = [entry for entry in entries if entry.status != "disabled"]
    pairs = await asyncio.to_thread(lambda: list(islice(find_duplicates(live), MAX_PAIRS)))
    pairs.sort(key=lambda pair: not pair.conflicting)
    return {
        "pairs": [
            {
                "conflicting": pair.conflicting,
                "questions": [pair.first_question, pair.second_question],
                "entries": [
                    {"key": entry.key, "question": entry.question, "answer": entry.answer}
                    for entry in (pair.first, pair.second)
                ],
            }
            for pair in pairs
        ]
    }


def entry_to_json(entry: Entry, updated_at: datetime | None = None) -> dict[str, Any]:
    """Return an entry as the admin API shows it."""
    return {**entry.to_dict(), "version": version_of(entry), **({"updated_at": updated_at} if updated_at else {})}


def _base_to_json(base: BaseOverview) -> dict[str, Any]:
    shown = ("number", "created_at", "created_by", "note")
    release = {name: getattr(base.release, name) for name in shown} if base.release else None
    return {"name": base.name, "entries": base.entries, "changed": base.changed, "release": release}
