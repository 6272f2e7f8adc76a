"""The test set of a knowledge base, and what it says before and after."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bot.checking import Check, Checks
from bot.http.admin.access import KnowledgeReader, KnowledgeWriter, audit, backoffice_of, parts_of
from bot.http.errors import RequestError
from knowledge.evaluation.cases import TestCase
from knowledge.importing.files import MAX_KEY, MAX_QUESTION
from knowledge.text import clean

router = APIRouter()

MAX_CASES = 2_000
Question = Annotated[str, Field(min_length=1, max_length=MAX_QUESTION, pattern=r"\S")]


class NewCase(BaseModel):
    """A question, and the key of the entry that should answer it."""

    model_config = ConfigDict(extra="forbid")
    question: Question
    key: str = Field(min_length=1, max_length=MAX_KEY)


class NewCases(BaseModel):
    """Questions to be added; one that is there already gets the new key."""

    model_config = ConfigDict(extra="forbid")
    cases: list[NewCase] = Field(min_length=1, max_length=MAX_CASES)


class OldCases(BaseModel):
    """Questions to be taken out."""

    model_config = ConfigDict(extra="forbid")
    questions: list[Question] = Field(min_length=1, max_length=MAX_CASES)


def checks_of(request: Request) -> Checks:
    """Return the application's checks."""
    checks: Checks = request.app.state.checks
    return checks


@router.get("/knowledge-bases/{base}/tests")
async def list_cases(base: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """List the test set."""
    cases = await backoffice_of(request).testcases.cases(base)
    return {"cases": [{"question": case.question, "key": case.keys[0]} for case in cases]}


@router.post("/knowledge-bases/{base}/tests", status_code=201)
async def add_cases(base: str, body: NewCases, request: Request, actor: KnowledgeWriter) -> dict[str, Any]:
    """Add questions to the test set."""
    cases = [TestCase(clean(case.question), (case.key,)) for case in body.cases]
    await backoffice_of(request).testcases.add(base, cases)
    await audit(request, actor, "tests.added", base, questions=len(cases))
    return await list_cases(base, request, actor)


@router.post("/knowledge-bases/{base}/tests/delete", status_code=204)
async def delete_cases(base: str, body: OldCases, request: Request, actor: KnowledgeWriter) -> Response:
    """Take questions out of the test set."""
    await backoffice_of(request).testcases.delete(base, [clean(question) for question in body.questions])
    await audit(request, actor, "tests.deleted", base, questions=len(body.questions))
    return Response(status_code=204)


@router.post("/knowledge-bases/{base}/check", status_code=202)
async def start_check(base: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """Begin to ask the test set of what is published and of what is being edited."""
    cases = await backoffice_of(request).testcases.cases(base)
    if not cases:
        raise RequestError(409, "no_tests", "the test set is empty; add questions to it first")
    return _to_json(checks_of(request).start(base, cases, parts_of(request).desk.settings.routing))


@router.get("/knowledge-bases/{base}/check")
async def show_check(base: str, request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """Say how far the newest check is, and what came of it."""
    check = checks_of(request).find(base)
    if check is None:
        raise RequestError(404, "not_found", "nothing has been checked since the server was started")
    return _to_json(check)


def _to_json(check: Check) -> dict[str, Any]:
    result = check.comparison.to_dict() if check.comparison else None
    return {name: getattr(check, name) for name in ("state", "done", "total", "message")} | {"result": result}
