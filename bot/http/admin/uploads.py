"""Files and pages that become entries: preview, apply with progress, cancel."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bot.fetching import fetch_page
from bot.http.admin.access import KnowledgeReader, KnowledgeWriter, audit
from bot.http.admin.knowledge import BaseName
from bot.uploads import Upload, Uploads
from knowledge.duplicates import Duplicate
from knowledge.importing.report import RowError

router = APIRouter()

MAX_ERRORS = 500


class PageUpload(BaseModel):
    """A public page or file to be fetched."""

    model_config = ConfigDict(extra="forbid")
    knowledge_base: BaseName
    url: str = Field(max_length=2_000)


def uploads_of(request: Request) -> Uploads:
    """Return the application's uploads."""
    uploads: Uploads = request.app.state.uploads
    return uploads


@router.post("/uploads", status_code=201)
async def upload_file(
    knowledge_base: Annotated[BaseName, Query()],
    name: Annotated[str, Query(min_length=1, max_length=255)],
    request: Request,
    _actor: KnowledgeWriter,
) -> dict[str, Any]:
    """Read a file, the request's whole body, and say what it would change; nothing is changed yet."""
    return _to_json(await uploads_of(request).read(knowledge_base, name, await request.body()))


@router.post("/uploads/url", status_code=201)
async def upload_page(body: PageUpload, request: Request, _actor: KnowledgeWriter) -> dict[str, Any]:
    """Fetch a public page and say what it would change."""
    content, name = await fetch_page(body.url)
    return _to_json(await uploads_of(request).read(body.knowledge_base, name, content))


@router.get("/uploads/{upload_id}")
async def show_upload(upload_id: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """Say how far an upload is."""
    upload = uploads_of(request).find(upload_id)
    return {name: getattr(upload, name) for name in ("state", "done", "total", "message")}


@router.post("/uploads/{upload_id}/apply", status_code=202)
async def apply_upload(upload_id: str, request: Request, actor: KnowledgeWriter) -> dict[str, Any]:
    """Begin to apply an upload; its state says when it is done."""
    uploads = uploads_of(request)
    upload = uploads.find(upload_id)
    uploads.apply(upload, actor.name)
    counts = {"added": len(upload.difference.added), "changed": len(upload.difference.changed)}
    await audit(request, actor, "upload.applied", upload.knowledge_base, file=upload.name, **counts)
    return await show_upload(upload_id, request, actor)


@router.delete("/uploads/{upload_id}", status_code=204)
async def cancel_upload(upload_id: str, request: Request, _actor: KnowledgeWriter) -> Response:
    """Cancel or forget an upload; unless it is done already, nothing has changed."""
    uploads = uploads_of(request)
    uploads.cancel(uploads.find(upload_id))
    return Response(status_code=204)


def _to_json(upload: Upload) -> dict[str, Any]:
    difference, report = upload.difference, upload.report
    return {
        "id": upload.id,
        "name": upload.name,
        "knowledge_base": upload.knowledge_base,
        **difference.to_dict(),
        "unchanged": len(report.entries) - len(difference.added) - len(difference.changed),
        "errors": [_error_to_json(error) for error in report.errors[:MAX_ERRORS]],
        "errors_count": len(report.errors),
        "ignored_columns": report.ignored_columns,
        "conflicts": [_conflict_to_json(pair) for pair in upload.conflicts],
        "drafts": upload.drafts,
    }


def _error_to_json(error: RowError) -> dict[str, Any]:
    reason = {"code": error.reason.code, "facts": error.reason.facts, "reason": str(error.reason)}
    return {"file": error.file, "row": error.row, "column": error.column, "text": error.text, **reason}


def _conflict_to_json(pair: Duplicate) -> dict[str, Any]:
    return {
        "first": {"key": pair.first.key, "question": pair.first_question},
        "second": {"key": pair.second.key, "question": pair.second_question},
    }
