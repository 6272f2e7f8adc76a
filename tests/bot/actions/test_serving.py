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

from bot.actions import serving
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


@pytest.fixture
def slow_page(app: App, events: list[str]) -> App:
    """Add a page that asks the server to stop and takes a while longer itself."""

    @app.get("/slow")
    async def slow(_request: Request) -> HTTPResponse:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(1)
        events.append("written")
        return text("here all the same")

    return app


async def get_slow_page(listener: socket.socket) -> str:
    """Return the page, or the name of what went wrong."""
    async with httpx.AsyncClient(base_url="http://{}:{}".format(*listener.getsockname()), timeout=20) as client:
        try:
            return (await client.get("/slow")).text
        except httpx.TransportError as error:
            return type(error).__name__


async def test_an_answer_on_its_way_is_ended_first(slow_page: App, listener: socket.socket, events: list[str]) -> None:
    asking: list[asyncio.Task[str]] = []
    await serve(slow_page, listener, lambda: asking.append(asyncio.create_task(get_slow_page(listener))))
    assert await asking[0] == "here all the same"
    assert events == ["before_server_start", "written", "after_server_stop"]


async def test_an_answer_that_takes_too_long_is_cut_off(
    slow_page: App, listener: socket.socket, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "DRAIN_SECONDS", 0.2)
    asking: list[asyncio.Task[str]] = []
    await serve(slow_page, listener, lambda: asking.append(asyncio.create_task(get_slow_page(listener))))
    assert await asking[0] in ("ReadError", "RemoteProtocolError")
    assert events == ["before_server_start", "after_server_stop"]
