"""Whoever is posted to: a program of the company's own, a group's robot, Chatwoot."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.connectors.platforms.misbehaviour import Script


@dataclass
class Post:
    """Something that was posted."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    json: Any


@dataclass
class Recorder:
    """Keeps what is posted, and answers as it is told to."""

    posts: list[Post] = field(default_factory=list)
    script: Script = field(default_factory=Script)
    answer: Any = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/{path:path}")
        async def take(path: str, request: Request) -> Response:
            if trouble := await self.script.next():
                return trouble
            body = await request.body()
            post = Post(f"/{path}", dict(request.query_params), dict(request.headers), body, await request.json())
            with self.changed:
                self.posts.append(post)
                self.changed.notify_all()
            return self.reply(post)

        return app

    def reply(self, post: Post) -> Response:
        return JSONResponse(self.answer)

    def wait_for(self, count: int, seconds: float = 30) -> list[Post]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.posts) >= count, seconds), self.posts
        return self.posts
