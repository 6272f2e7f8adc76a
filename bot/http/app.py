"""The web application: its parts are opened at start and closed at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import State
from starlette.types import ASGIApp

from bot.accounts import new_token
from bot.assembly import Parts, make_remote_model, open_desk
from bot.channels.host import Front
from bot.channels.switchboard import Switchboard
from bot.checking import Checks
from bot.configuration import Configuration
from bot.http import bots, chat, console, docs, health, live, openai_api, visitors, widget
from bot.http.admin import routes as admin
from bot.http.admin.access import Backoffice
from bot.http.errors import add_error_handlers
from bot.http.middleware import RequestContext
from bot.http.running import RunningAnswers
from bot.http.visitors import Reception
from bot.models.local import LocalChatModel
from bot.preparing import keep_prepared
from bot.settings import Settings
from bot.store.settings import SettingStore
from bot.uploads import Uploads

PAGE = Path(__file__).parent / "page"
PAGE_CACHING = "no-cache"
"""Asked for again each time (answered 304 if unchanged), so that an upgrade never mixes modules of two versions."""

PAGE_POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'; form-action 'self'"
DRAIN_SECONDS = 20.0


class _PageFiles(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = PAGE_CACHING
        return response


class _AllowedSites(CORSMiddleware):
    """Asks the reception each time, since owners change in the console which sites are allowed."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        super().__init__(
            app,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "Last-Event-ID", "Authorization", bots.HEADER],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
        self._state = state

    def is_allowed_origin(self, origin: str) -> bool:
        reception: Reception = self._state.reception
        return reception.allows(origin)


def _preparing(parts: Parts) -> list[asyncio.Task[None]]:
    model = parts.desk.local
    if not isinstance(model, LocalChatModel):
        return []
    return [asyncio.create_task(keep_prepared(model, parts.desks.values()))]


def create_app(settings: Settings, open_parts: Callable[[], Coroutine[Any, Any, Parts]] | None = None) -> FastAPI:
    """Return the application; nothing is loaded before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        parts = await (open_parts or (lambda: open_desk(settings)))()
        app.state.parts = parts
        app.state.running = RunningAnswers(parts.desks)
        app.state.reception = Reception(settings)
        app.state.backoffice = Backoffice.open(parts.database, app.state.setup_token)
        app.state.uploads = Uploads(parts.knowledge_store, parts.desk.knowledge)
        app.state.checks = Checks(parts.desk.knowledge)
        app.state.configuration = Configuration(
            parts.desks,
            SettingStore(parts.database),
            make_remote_model,
            app.state.reception.allow,
        )
        await app.state.configuration.refresh()
        app.state.switchboard = Switchboard(
            settings, parts, Front(app.state.running.events, app.state.reception.admit_to_channel)
        )
        for router in app.state.switchboard.routers():
            app.include_router(router)
        background = [
            asyncio.create_task(app.state.configuration.follow()),
            *(asyncio.create_task(work) for work in app.state.switchboard.work()),
            *(asyncio.create_task(desk.knowledge.follow()) for desk in parts.desks.values()),
            asyncio.create_task(app.state.running.give_up_unread()),
            *_preparing(parts),
        ]
        yield
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await app.state.uploads.close()
        await app.state.checks.close()
        await app.state.running.close(DRAIN_SECONDS)
        await app.state.switchboard.close()
        await parts.close()

    app = FastAPI(
        title="FrontDesk",
        version=version("frontdesk-bot"),
        description='A customer-service FAQ bot. Every error is `{"error": {"type", "message", "request_id"}}`.',
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.started_at = time.time()
    app.state.setup_token = new_token()
    app.add_middleware(RequestContext)
    app.add_middleware(_AllowedSites, state=app.state)
    add_error_handlers(app)
    app.include_router(visitors.router)
    app.include_router(chat.router)
    app.include_router(live.router)
    app.include_router(openai_api.router)
    app.include_router(health.router)
    app.include_router(docs.router)
    app.include_router(admin.router)
    app.include_router(widget.router)
    app.include_router(console.router)

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": PAGE_CACHING}
        return FileResponse(PAGE / "index.html", headers=headers)

    app.mount(docs.STATIC, docs.swagger_files(), name="docs")
    app.mount("/page", _PageFiles(directory=PAGE), name="page")
    app.mount("/admin/static", _PageFiles(directory=console.FOLDER), name="console")
    return app
