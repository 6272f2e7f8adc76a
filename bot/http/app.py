"""The web application: its parts are opened at start and closed at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
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
from bot.draining import Drain
from bot.http import bots, chat, console, docs, health, live, openai_api, visitors, widget
from bot.http.admin import routes as admin
from bot.http.admin.access import Backoffice
from bot.http.admission import Admission
from bot.http.errors import add_error_handlers
from bot.http.limits import forget_limits
from bot.http.middleware import REQUEST_ID, RequestContext
from bot.http.running import RunningAnswers
from bot.http.sharing import SharedAnswers
from bot.http.visitors import Reception
from bot.keeping.housekeeping import Housekeeper
from bot.logs import in_background
from bot.models.local import LocalChatModel
from bot.preparing import keep_prepared
from bot.settings import Settings
from bot.store.bulletin import Bulletin
from bot.store.running import RunningStore
from bot.store.secrets import SecretStore
from bot.store.settings import SettingStore
from bot.uploads import Uploads
from bot.visitors import new_secret

PAGE = Path(__file__).parent / "page"
PAGE_CACHING = "no-cache"
"""Asked for again each time (answered 304 if unchanged), so that an upgrade never mixes modules of two versions."""

PAGE_POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'; form-action 'self'"


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
            expose_headers=[REQUEST_ID, "Retry-After"],
        )
        self._state = state

    def is_allowed_origin(self, origin: str) -> bool:
        reception: Reception = self._state.reception
        return reception.allows(origin)


def _background(state: State) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """Yield what goes on beside the requests, with its name, each until it is cancelled."""
    parts: Parts = state.parts
    yield "settings", state.configuration.follow()
    yield "housekeeping", state.housekeeper.run()
    for name, desk in parts.desks.items():
        yield f"knowledge {name}".rstrip(), desk.knowledge.follow()
    yield "unread answers", state.running.give_up_unread()
    yield "other replicas", _bulletin(parts, state.configuration).follow()
    yield "shared answers", state.running.share()
    yield "limits", forget_limits(parts.database)
    yield "admission", state.admission.watch()
    yield from state.switchboard.work()
    if isinstance(model := parts.desk.local, LocalChatModel):
        yield "preparing", keep_prepared(model, parts.desks.values())


def _forget(app: FastAPI) -> None:
    """Forget what customers said as far as it is in this process's memory only."""
    for desk in app.state.parts.desks.values():
        desk.forget()
    app.state.running.forget()
    if hasattr(app.state, "review"):
        del app.state.review


def _bulletin(parts: Parts, configuration: Configuration) -> Bulletin:
    """Return what wakes whoever here waits for something that another replica does."""

    def published(_about: str) -> None:
        for desk in parts.desks.values():
            desk.knowledge.published.ring()

    return Bulletin(
        parts.database,
        {
            "conversation": parts.desk.humans.changes.tell,
            "release": published,
            "settings": lambda _about: configuration.changed.ring(),
        },
    )


async def _configure(configuration: Configuration, parts: Parts) -> None:
    """Apply what was changed in the console, before anybody is answered from what was switched off there."""
    await configuration.refresh()
    for desk in parts.desks.values():
        await desk.knowledge.refresh()


def create_app(settings: Settings, open_parts: Callable[[], Coroutine[Any, Any, Parts]] | None = None) -> FastAPI:
    """Return the application; nothing is loaded before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        parts = await (open_parts or (lambda: open_desk(settings)))()
        app.state.parts = parts
        shared = SharedAnswers(RunningStore(parts.database)) if parts.database.is_shared else None
        app.state.running = RunningAnswers(parts.desks, app.state.drain, shared=shared)
        app.state.admission = Admission(parts.desks, app.state.running, settings.server.answers_at_once)
        secret = ""  # nosec B105 - the settings' own is used
        if settings.visitors.secret is None:
            secret = await SecretStore(parts.database).keep("visitors", new_secret(settings.data_dir.expanduser()))
        app.state.reception = Reception(settings, secret, parts.database)
        app.state.backoffice = Backoffice.open(parts.database, app.state.setup_token)
        app.state.uploads = Uploads(parts.knowledge_store, parts.desk.knowledge)
        app.state.checks = Checks(parts.desk.knowledge)
        app.state.configuration = Configuration(
            parts.desks,
            SettingStore(parts.database),
            make_remote_model,
            app.state.reception.allow,
        )
        app.state.housekeeper = Housekeeper(parts.database, settings.privacy.keep_days, lambda: _forget(app))
        await _configure(app.state.configuration, parts)
        app.state.switchboard = Switchboard(
            settings, parts, Front(app.state.running.events, app.state.reception.admit_to_channel), app.state.drain
        )
        for router in app.state.switchboard.routers():
            app.include_router(router)
        background = [asyncio.create_task(in_background(name, work)) for name, work in _background(app.state)]
        yield
        app.state.drain.begin()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await app.state.uploads.close()
        await app.state.checks.close()
        await app.state.running.close()
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
    app.state.drain = Drain(settings.server.drain_seconds)
    app.add_middleware(RequestContext, state=app.state)
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
