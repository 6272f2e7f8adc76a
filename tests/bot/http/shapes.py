"""The shapes that everything over HTTP keeps to, each held by one function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx


def assert_error_shape(response: httpx.Response, status: int, kind: str) -> str:
    """Hold an error to its one shape; return its message."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) - {"reason"} == {"type", "message", "request_id"}
    assert body["error"]["type"] == kind
    assert body["error"]["message"]
    assert body["error"]["request_id"] == response.headers["X-Request-ID"]
    assert "Traceback" not in response.text
    return str(body["error"]["message"])


@dataclass(frozen=True)
class ServerEvent:
    """One server-sent event."""

    name: str
    data: Any
    id: str | None

    @property
    def number(self) -> int:
        assert self.id is not None
        return int(self.id.rpartition(":")[2])


def read_events(text: str) -> list[ServerEvent]:
    """Read a whole stream."""
    events = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            events.append(ServerEvent(lines["event"], json.loads(lines["data"]), lines.get("id")))
    return events
