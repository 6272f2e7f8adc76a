"""Server-sent events, as the WHATWG HTML standard describes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from fastapi.responses import StreamingResponse

KEEP_ALIVE_SECONDS = 15.0
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def event_stream(frames: AsyncGenerator[str]) -> StreamingResponse:
    """Return a response that sends events as they come, and comments into silences."""
    return StreamingResponse(_with_keep_alive(frames), media_type="text/event-stream", headers=STREAM_HEADERS)


async def _with_keep_alive(frames: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Send a comment into silences, so that proxies do not cut the connection."""
    following: asyncio.Future[str] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(frames))
            done, _ = await asyncio.wait({following}, timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield ": keep-alive\n\n"
                continue
            try:
                yield following.result()
            except StopAsyncIteration:
                return
            following = None
    finally:
        if following is not None:
            following.cancel()


def frame(name: str, data: Any, event_id: str | None = None) -> str:
    """Return one event as it is sent."""
    identifier = f"id: {event_id}\n" if event_id else ""
    return f"{identifier}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
