"""What happens to every request: an identifier, limits of size and time, one log line, and safe headers."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

import structlog
from starlette.datastructures import Headers, MutableHeaders, State
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import messages
from bot.draining import Drain
from bot.http.errors import error_body
from bot.http.metrics import count_request
from bot.logs import request_id_from
from bot.telemetry import request_span
from knowledge.importing.readers import MAX_BYTES

log = structlog.get_logger()

REQUEST_ID = "X-Request-ID"
MAX_BODY_BYTES = 1 << 20
UPLOADS_PATH = "/api/admin/uploads"
PIECE_SECONDS = 15.0
"""So long the next piece of a body may take."""
BODY_SECONDS = 60.0
UPLOAD_SECONDS = 600.0
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
}
NOT_KEPT = ("/api/", "/v1/")
"""What is answered there is somebody's own: no browser or proxy keeps it."""
QUIET_PATHS = ("/healthz", "/readyz", "/metrics")


class _Body:
    """The body of a request on its way: not too large, and not too slow."""

    def __init__(self, receive: Receive, path: str) -> None:
        self._receive = receive
        upload = path == UPLOADS_PATH
        self._allowed = MAX_BYTES if upload else MAX_BODY_BYTES
        self._late_at = time.monotonic() + (UPLOAD_SECONDS if upload else BODY_SECONDS)
        self._received, self._whole = 0, False

    async def receive(self) -> Message:
        """Return the next message; raises HTTPException."""
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout(min(PIECE_SECONDS, self._late_at - time.monotonic())):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(408, "the body came too slowly", {"Connection": "close"}) from error
        self._whole = not message.get("more_body", False)
        self._received += len(message.get("body", b""))
        if self._received > self._allowed:
            raise HTTPException(413, f"a request may have {self._allowed:,} bytes here")
        return message


class RequestContext:
    """Pure ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        """Wrap an application, whose state knows when it shall stop."""
        self._app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_from(Headers(scope=scope).get(REQUEST_ID))
        scope.setdefault("state", {})["request_id"] = request_id
        drain: Drain = self._state.drain
        with ExitStack() as stack:
            stack.enter_context(structlog.contextvars.bound_contextvars(request_id=request_id))
            if scope["path"] not in QUIET_PATHS:
                stack.enter_context(drain.working())
                request = stack.enter_context(request_span(scope))
                request.note(method=scope["method"])
            await self._serve(scope, receive, send, request_id)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        begun, status = time.perf_counter(), 500
        body = _Body(receive, scope["path"])

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(NOT_KEPT):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, body.receive, send_with_headers)
        except Exception:  # the last resort: logged whole, told to nobody
            log.exception("request crashed", path=scope["path"])
            said = error_body("internal_error", messages.something_failed("en"), request_id)
            await JSONResponse(said, 500)(scope, receive, send_with_headers)
        finally:
            count_request(scope["method"], status)
            if scope["path"] not in QUIET_PATHS:
                elapsed = round((time.perf_counter() - begun) * 1_000, 1)
                log.info("request", method=scope["method"], path=scope["path"], status=status, ms=elapsed)
            structlog.contextvars.unbind_contextvars("request_id")
