"""What happens to every request: an identifier, a size limit, one log line, and safe headers."""

from __future__ import annotations

import time
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import messages
from bot.http.errors import error_body
from bot.http.metrics import REQUESTS
from knowledge.importing.readers import MAX_BYTES

log = structlog.get_logger()

MAX_BODY_BYTES = 1 << 20
UPLOADS_PATH = "/api/admin/uploads"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
}
QUIET_PATHS = ("/healthz", "/readyz", "/metrics")


class RequestContext:
    """Pure ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        begun, status, received = time.perf_counter(), 500, 0
        allowed = MAX_BYTES if scope["path"] == UPLOADS_PATH else MAX_BODY_BYTES

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > allowed:
                raise HTTPException(413, f"a request may have {allowed:,} bytes here")
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive_bounded, send_with_headers)
        except Exception:  # the last resort: logged whole, told to nobody
            log.exception("request crashed", path=scope["path"])
            body = error_body("internal_error", messages.something_failed("en"), request_id)
            await JSONResponse(body, 500)(scope, receive, send_with_headers)
        finally:
            REQUESTS.labels(scope["method"], str(status)).inc()
            if scope["path"] not in QUIET_PATHS:
                elapsed = round((time.perf_counter() - begun) * 1_000, 1)
                log.info("request", method=scope["method"], path=scope["path"], status=status, ms=elapsed)
            structlog.contextvars.unbind_contextvars("request_id")
