"""Questions that went wrong, to be dealt with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.accounts import Actor
from bot.http.admin.access import ConversationReader, KnowledgeWriter, audit, parts_of
from bot.http.admin.knowledge import BaseName, Question
from bot.review import Review, with_variants
from bot.store.review import Kind, ReviewAction, ReviewStore
from knowledge.entries import Entry, with_language
from knowledge.importing.files import MAX_ANSWER, MAX_KEY, MAX_QUESTION, key_of
from knowledge.text import clean

router = APIRouter()

MAX_DAYS = 366


class Resolution(BaseModel):
    """What became of some questions: nothing, variants of an entry, or a new entry with them as variants.

    A variant needs the knowledge base and the key of its entry, an entry the knowledge base and an answer; its question
    is the first one if none is given.
    """

    model_config = ConfigDict(extra="forbid")
    questions: list[Annotated[str, Field(max_length=30_000)]] = Field(min_length=1, max_length=200)
    action: ReviewAction
    knowledge_base: BaseName | None = None
    key: str | None = Field(None, min_length=1, max_length=MAX_KEY, pattern=r"^[^/\s](?:[^/]*[^/\s])?$")
    question: Question | None = None
    answer: str | None = Field(None, max_length=MAX_ANSWER)

    @model_validator(mode="after")
    def _is_complete(self) -> Resolution:
        if self.action == "ignore":
            return self
        if self.knowledge_base is None:
            raise ValueError("knowledge_base: which one?")
        if self.action == "variant" and self.key is None:
            raise ValueError("key: of which entry?")
        if self.action == "entry" and not (self.answer or "").strip():
            raise ValueError("answer: it is empty")
        if self.action == "entry" and not clean(self.question or self.questions[0]):
            raise ValueError("question: it is empty")
        if any(len(question) > MAX_QUESTION for question in self.questions):
            raise ValueError(f"questions: one is longer than {MAX_QUESTION} characters")
        return self

    def to_entry(self) -> Entry:
        """Return the new entry."""
        question = clean(self.question or self.questions[0])
        entry = Entry(key=self.key or key_of(question), question=question, answer=(self.answer or "").strip())
        return with_language(with_variants(entry, self.questions))


def review_of(request: Request) -> Review:
    """Return the application's review, which begins when it is first asked for."""
    state = request.app.state
    if not hasattr(state, "review"):
        parts = parts_of(request)
        state.review = Review(ReviewStore(parts.database), parts.desk.knowledge)
    review: Review = state.review
    return review


@router.get("/review")
async def list_clusters(
    request: Request,
    _actor: ConversationReader,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 30,
    kind: Kind | None = None,
) -> dict[str, Any]:
    """List what was refused, escalated, clarified or thumbed down in the last days, the commonest matters first.

    `total` counts the matters; 200 are listed, and the nearest published entry is sought for 50. Ten questions of each
    are shown: with all of them, the rest is resolved too. What is resolved comes back once it is asked again.
    `ungrouped` questions have not been compared with others yet; asking again goes on with them. What is refused for
    the settings' sensitive words is left out.
    """
    sensitive = parts_of(request).desk.settings.bot.sensitive_words
    return asdict(await review_of(request).listing(days, kind, sensitive=sensitive))


@router.post("/review/resolve")
async def resolve(body: Resolution, request: Request, actor: KnowledgeWriter) -> dict[str, int]:
    """Deal with questions, and say how many that were; customers see changed entries once they are published."""
    target = await _write(body, request, actor)
    changed = await review_of(request).resolve(body.questions, body.action, actor.name)
    await audit(request, actor, f"review.{body.action}", target, questions=changed)
    return {"changed": changed}


async def _write(body: Resolution, request: Request, actor: Actor) -> str:
    """Change or add the entry, if there is one to; return its name, else the first question."""
    store = parts_of(request).knowledge_store
    if body.action == "ignore" or body.knowledge_base is None:
        return body.questions[0][:200]
    if body.action == "entry":
        entry = body.to_entry()
        await store.add(body.knowledge_base, entry, actor=actor.name)
        return f"{body.knowledge_base}/{entry.key}"
    key = body.key or ""
    await store.edit(body.knowledge_base, [key], lambda entry: with_variants(entry, body.questions), actor=actor.name)
    return f"{body.knowledge_base}/{key}"
