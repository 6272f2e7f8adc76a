from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from sanic import HTTPResponse, Request, Sanic
from sanic.response import text

from bot.actions.serving import serve

App = Sanic  # type: ignore[type-arg]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def events() -> list[str]:
    return []


@pytest.fixture
def app(events: list[str]) -> App:
    """Return a server that notes when it starts and stops, and has one page."""
    app = App(f"app-{uuid4().hex}")
    app.config.TOUCHUP = False  # it rewrites classes, which a process can have done only once
    for event in ("before_server_start", "after_server_stop"):

        async def note(_app: App, event: str = event) -> None:
            events.append(event)

        app.register_listener(note, event)

    @app.get("/")
    async def page(_request: Request) -> HTTPResponse:
        return text("here")

    return app


async def test_a_signal_while_it_starts_is_not_lost(app: App, listener: socket.socket, events: list[str]) -> None:
    async def be_stopped(_app: App) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    app.register_listener(be_stopped, "before_server_start")
    await serve(app, listener, lambda: events.append("told"))
    assert events == ["before_server_start", "told", "after_server_stop"]


async def test_it_answers_until_it_is_asked_to_stop(app: App, listener: socket.socket, events: list[str]) -> None:
    async def ask() -> None:
        try:
            async with httpx.AsyncClient(base_url=address, timeout=20) as client:
                events.append((await client.get("/")).text)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    address = "http://{}:{}".format(*listener.getsockname())
    asking: list[asyncio.Task[None]] = []
    await serve(app, listener, lambda: asking.append(asyncio.create_task(ask())))
    await asking[0]
    assert events == ["before_server_start", "here", "after_server_stop"]
