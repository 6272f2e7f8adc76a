"""frontdesk serve: the HTTP server."""

from __future__ import annotations

import ctypes
import platform
import signal
import socket
import sys
from types import FrameType
from typing import Annotated

import structlog
import typer
import uvicorn
from fastapi import FastAPI
from rich.markup import escape

from bot.assembly import Parts, open_desk
from bot.cli.common import err
from bot.draining import Drain
from bot.errors import SettingsError
from bot.http.app import create_app
from bot.http.connections import BoundedConnection
from bot.live import Changes
from bot.logs import set_up_logging
from bot.settings import Settings, load_settings
from bot.store.database import served_alone
from bot.store.secrets import SecretStore
from bot.store.users import UserStore
from bot.telemetry import start_telemetry, stop_telemetry

log = structlog.get_logger()

LAST_WORDS_SECONDS = 2
"""For what is on its way through the network after the last answer has ended or was given up."""

_M_ARENA_MAX = -8
"""From glibc's malloc.h; see mallopt(3)."""
_ARENAS = 2


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 for any free one.", min=0, max=65_535)] = None,
) -> None:
    """Serve the chat page, the API and everything else over HTTP."""
    _limit_arenas()
    settings = load_settings()
    set_up_logging(settings.log_level, as_json=settings.log_json)
    with served_alone(settings.resolved_database_url):
        _serve(settings, listen(host or settings.server.host, settings.server.port if port is None else port))


def _serve(settings: Settings, listener: socket.socket) -> None:
    address = _address(listener)

    async def open_and_tell() -> Parts:
        parts = await open_desk(settings)
        link = None
        if await UserStore(parts.database).is_empty():
            app.state.setup_token = await SecretStore(parts.database).keep("setup", app.state.setup_token)
            link = f"{address}/admin#/setup/{app.state.setup_token}"
        (_log_start if settings.log_json else _tell)(parts, address, link)
        return parts

    app = create_app(settings, open_and_tell)
    config = uvicorn.Config(
        app, http=BoundedConnection, ws="none", log_config=None, access_log=False, server_header=False
    )
    server = _Server(config, app)
    start_telemetry(settings.telemetry)
    try:
        server.run(sockets=[listener])
    finally:
        stop_telemetry()
    if not server.started:
        sys.exit(1)


class _Server(uvicorn.Server):
    """Told to stop, it ends what has begun, and refuses what is new, before it does; told again, it stops at once."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app
        self._drain: Drain = app.state.drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal; the second one has the effect that it has on any program."""
        del frame
        if self._drain.begun:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        self._drain.begin()

    async def on_tick(self, counter: int) -> bool:
        """Say whether to stop now; asked ten times a second."""
        changes: Changes = self._app.state.parts.desk.humans.changes
        if self._drain.begun and not changes.closed:
            log.info("stopping", seconds=self._drain.seconds_left)
            changes.close()  # ends the streams that have no end of their own
        self.should_exit = self.should_exit or self._drain.is_over
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, telling whoever still waits for an answer that it will not come."""
        await self._app.state.running.close()
        self.config.timeout_graceful_shutdown = LAST_WORDS_SECONDS
        await super().shutdown(sockets)


def _limit_arenas() -> None:
    """Have threads share two heaps: glibc would give each its own, 25 MB more of freed memory that nobody gets back."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def listen(host: str, port: int) -> socket.socket:
    """Bind before anything is loaded, so that a busy port is known at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"port {port} on {host} cannot be used ({error.strerror}); choose another: --port {port + 1}"
        ) from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - every address: a browser wants one of them  # nosec B104
        host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _tell(parts: Parts, address: str, setup_link: str | None) -> None:
    desk = parts.desk
    err.print(f"[bold green]FrontDesk[/] answers at [bold]{address}[/]")
    err.print(
        f"  {len(desk.knowledge.entries)} entries; search: {desk.knowledge.embedder.name}; "
        f"words: {desk.local.name if desk.local else 'no local model'}; "
        f"larger model: {desk.remote.name if desk.remote else 'none'}"
    )
    for problem in parts.problems:
        err.print(f"  [yellow]![/] {escape(problem)}")
    if setup_link:
        err.print(f"  the console has no users yet; make the first here, once: {setup_link}")
    else:
        err.print(f"  console: {address}/admin")


def _log_start(parts: Parts, address: str, setup_link: str | None) -> None:
    """Say the same where machines read."""
    desk = parts.desk
    log.info(
        f"FrontDesk answers at {address}",
        entries=len(desk.knowledge.entries),
        search=desk.knowledge.embedder.name,
        words=desk.local.name if desk.local else None,
        larger_model=desk.remote.name if desk.remote else None,
        problems=parts.problems,
    )
    if setup_link:
        log.warning("the console has no users yet; make the first here, once", link=setup_link)
