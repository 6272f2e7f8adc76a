"""The OpenAI-compatible API: `frontdesk` answers from the FAQ, the local model's own name chats plainly.

Shapes are those of https://platform.openai.com/docs/api-reference; the official client is the test.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Annotated, Any, Literal
from uuid import uuid4

import numpy as np
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from bot.desk import FrontDesk
from bot.draining import Drain
from bot.http.admission import check_room
from bot.http.bots import desk_of
from bot.http.errors import RequestError, describe, error_body, request_id
from bot.http.events import STREAM_HEADERS
from bot.http.visitors import reception_of
from bot.models.base import ChatMessage, Sampling
from bot.question import Finished, Question, Started, Token, Usage
from knowledge.embedding.absent import AbsentEmbedder

FAQ_MODEL = "frontdesk"
LOOPBACK = ("127.0.0.1", "::1")
MAX_EMBEDDING_INPUTS = 256
MAX_STOPS = 16
LOOK_SECONDS = 0.5
"""How often it is looked whether a client that does not stream is still there."""


def check_key(request: Request) -> None:
    """Let in whoever has a key; without any configured, whoever is on this machine, but no other site's page there."""
    keys = desk_of(request).settings.server.api_keys
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if keys:
        if any(hmac.compare_digest(key.get_secret_value().encode(), given.encode()) for key in keys):
            return
        raise RequestError(401, "invalid_api_key", "the API key is missing or wrong: Authorization: Bearer KEY")
    if request.client is None or request.client.host not in LOOPBACK:
        raise RequestError(401, "invalid_api_key", "set server.api_keys to use /v1 from another machine")
    reception_of(request).check_origin(request)


router = APIRouter(prefix="/v1", tags=["openai"], dependencies=[Depends(check_key)])
"""Without its key a request is told nothing of what its body lacks."""


class TextPart(BaseModel):
    """A part of a message; only text is understood."""

    type: Literal["text"]
    text: str


class IncomingMessage(BaseModel):
    """A message of the request."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    @property
    def text(self) -> str:
        """The content as one text."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """What a stream carries besides text."""

    include_usage: bool = False


class CompletionRequest(BaseModel):
    """A chat completion; fields that are not named here are accepted and ignored, as clients expect."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": FAQ_MODEL, "messages": [{"role": "user", "content": "怎么退货？"}]}]}
    )
    model: str
    messages: list[IncomingMessage] = Field(min_length=1, max_length=200)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=MAX_STOPS)] | None = None
    n: Literal[1] | None = None


class EmbeddingRequest(BaseModel):
    """Texts to embed."""

    model: str
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"


class _Completion:
    """One answer on its way, whichever model gives it: the text in pieces, then usage and the reason it ended."""

    def __init__(self, model: str) -> None:
        self.id = f"chatcmpl-{uuid4().hex[:24]}"
        self.created = int(time.time())
        self.model = model
        self.usage = Usage()
        self.finish_reason: str = "stop"
        self.extra: dict[str, Any] = {}

    def chunk(self, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        }

    def usage_json(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.usage.prompt,
            "completion_tokens": self.usage.completion,
            "total_tokens": self.usage.prompt + self.usage.completion,
            "prompt_tokens_details": {"cached_tokens": self.usage.cached},
        }

    def whole(self, text: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason, "logprobs": None}],
            "usage": self.usage_json(),
            **self.extra,
        }


@router.get("/models")
async def list_models(request: Request) -> dict[str, Any]:
    """List the models that answer here."""
    desk = desk_of(request)
    names = [FAQ_MODEL]
    if desk.local:
        names.append(desk.local.name)
    if not isinstance(desk.knowledge.embedder, AbsentEmbedder):
        names.append(desk.knowledge.embedder.name)
    created = int(request.app.state.started_at)
    data = [{"id": name, "object": "model", "created": created, "owned_by": "frontdesk"} for name in names]
    return {"object": "list", "data": data}


@router.post("/chat/completions", response_model=None)
async def complete(body: CompletionRequest, request: Request) -> JSONResponse | StreamingResponse:
    """Answer from the FAQ, or chat with the local model."""
    drain: Drain = request.app.state.drain
    drain.admit(body.messages[-1].text)
    desk = desk_of(request)
    completion = _Completion(body.model)
    if body.model == FAQ_MODEL:
        check_room(request, "en")
        pieces = _from_faq(desk, body, completion)
    elif desk.local is not None and body.model == desk.local.name:
        pieces = _from_local_model(desk, body, completion)
    else:
        raise RequestError(404, "model_not_found", f"the model {body.model!r} does not exist; see /v1/models")
    if body.stream:
        first = await anext(pieces, "")  # what can fail fails here, with a status of its own
        stream = _stream(first, pieces, body, completion, request_id(request))
        return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)
    return JSONResponse(completion.whole(await _while_connected(_read(pieces), request)))


async def _read(pieces: AsyncGenerator[str]) -> str:
    async with aclosing(pieces):
        return "".join([piece async for piece in pieces])


async def _while_connected(work: Coroutine[Any, Any, str], request: Request) -> str:
    """Do some work unless the client goes away, who would have nothing of it."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait((task,), timeout=LOOK_SECONDS))[0]:
            if await request.is_disconnected():
                raise RequestError(499, "client_closed_request", "the client has gone")
        return await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@router.post("/embeddings")
async def embed(body: EmbeddingRequest, request: Request) -> dict[str, Any]:
    """Embed texts with the model that the FAQ is searched with."""
    embedder = desk_of(request).knowledge.embedder
    if body.model != embedder.name or isinstance(embedder, AbsentEmbedder):
        raise RequestError(404, "model_not_found", f"the model {body.model!r} does not exist; see /v1/models")
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not texts or len(texts) > MAX_EMBEDDING_INPUTS or not all(texts):
        raise RequestError(400, "invalid_request", f"input: 1 to {MAX_EMBEDDING_INPUTS} texts that are not empty")
    vectors = await run_in_threadpool(embedder.embed_queries, texts)
    as_text = body.encoding_format == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(vector.astype("<f4").tobytes()).decode()
            if as_text
            else np.asarray(vector).tolist(),
        }
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(len(text) for text in texts)
    return {
        "object": "list",
        "data": data,
        "model": embedder.name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


async def _from_faq(desk: FrontDesk, body: CompletionRequest, completion: _Completion) -> AsyncGenerator[str]:
    asked = [message.text for message in body.messages if message.role == "user"]
    if not asked:
        raise RequestError(400, "invalid_request", "messages: there is no message of the user")
    question = Question(text=asked[-1], channel="openai", earlier=tuple(asked[:-1]))
    streamed = ""
    async with aclosing(desk.answer(question)) as events:
        async for event in events:
            if isinstance(event, Token):
                streamed += event.text
                yield event.text
            elif isinstance(event, Finished):
                answer = event.answer
                completion.usage = answer.usage
                completion.extra = {
                    "frontdesk": {
                        "outcome": answer.outcome,
                        "confidence": answer.confidence,
                        "citations": [{"key": cited.key, "question": cited.question} for cited in answer.citations],
                        "suggestions": [offered.question for offered in answer.suggestions],
                    }
                }
                if answer.suggestions:
                    yield "\n" + "\n".join(f"- {offered.question}" for offered in answer.suggestions)
                if streamed and answer.text != streamed:  # a check failed after some of it had been sent
                    yield f"\n\n{answer.text}"
            elif isinstance(event, Started):
                yield ""


async def _from_local_model(desk: FrontDesk, body: CompletionRequest, completion: _Completion) -> AsyncGenerator[str]:
    assert desk.local is not None
    roles: dict[str, Literal["system", "user", "assistant"]] = {"developer": "system"}
    prompt = [ChatMessage(roles.get(message.role, message.role), message.text) for message in body.messages]  # type: ignore[arg-type]
    generation = desk.local.generate(prompt, _sampling(body))
    try:
        async for piece in generation:
            yield piece
    finally:
        await generation.aclose()
        completion.usage, completion.finish_reason = generation.usage, generation.finish_reason


def _sampling(body: CompletionRequest) -> Sampling:
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    return Sampling(
        max_tokens=body.max_completion_tokens or body.max_tokens or 1_024,
        temperature=0.7 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=body.seed,
        stop=tuple(text for text in stop if text),
    )


async def _stream(
    first: str, pieces: AsyncGenerator[str], body: CompletionRequest, completion: _Completion, identifier: str
) -> AsyncGenerator[str]:
    include_usage = body.stream_options is not None and body.stream_options.include_usage
    padding: dict[str, Any] = {"usage": None} if include_usage else {}
    yield _data({**completion.chunk({"role": "assistant", "content": ""}), **padding})
    try:
        async with aclosing(pieces):
            if first:
                yield _data({**completion.chunk({"content": first}), **padding})
            async for piece in pieces:
                if piece:
                    yield _data({**completion.chunk({"content": piece}), **padding})
    except Exception as error:  # the status is sent already, so the failure becomes an event
        _, kind, message, _ = describe(error)
        yield _data(error_body(kind, message, identifier))
        return
    yield _data({**completion.chunk({}, completion.finish_reason), **completion.extra, **padding})
    if include_usage:
        yield _data({**completion.chunk({}), "choices": [], "usage": completion.usage_json()})
    yield "data: [DONE]\n\n"


def _data(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
