"""Connections that give uvicorn what its own protocols lack: an end to waiting for the head of a request."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_SECONDS = 15.0
"""From the first byte, or from connecting, to the end of the head."""

MAX_HEAD_BYTES = 64 << 10


class _Cycle(Protocol):
    response_complete: bool


class BoundedConnection(asyncio.Protocol):
    """Passes everything on to a protocol of uvicorn's; closes what sends a head too slowly, or without end."""

    def __init__(self, **options: Any) -> None:
        """Take what uvicorn gives its protocols."""
        self._inner = cast("Any", AutoHTTPProtocol)(**options)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first head."""
        self._transport = cast("asyncio.Transport", transport)
        self._inner.connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Pass on, and see whether that ended a head."""
        self._head_bytes += len(data)
        self._inner.data_received(data)
        if not self._is_in_a_head:
            self._stop_waiting()
        elif self._head_bytes > MAX_HEAD_BYTES:
            self._close()
        elif self._timer is None:
            self._wait()

    def eof_received(self) -> None:
        """Pass on."""
        self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on."""
        self._stop_waiting()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass on."""
        self._inner.resume_writing()

    @property
    def _is_in_a_head(self) -> bool:
        """Whether no request is being answered; between two, uvicorn's keep-alive timer runs until a byte comes."""
        cycle: _Cycle | None = self._inner.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._close)

    def _stop_waiting(self) -> None:
        self._head_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
