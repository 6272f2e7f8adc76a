"""A server that speaks OpenAI's chat completions, well or badly, as its script says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

PAUSE = "pause"
"""In a script: wait until the client has gone."""

CUT = "cut"
"""In a script: break the connection."""


def chunk(text: str, finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "big", "choices": [choice]}


USAGE = {**chunk(""), "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}
GOOD: list[Any] = [chunk("你"), chunk("好😀"), chunk("", "stop"), USAGE, "[DONE]"]


class Endpoint:
    """Speaks /v1/chat/completions as its script says: a status, or what to stream."""

    def __init__(self) -> None:
        self.script: list[int | list[Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.left = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        assert scope["path"] == "/v1/chat/completions"
        self.requests.append(json.loads(body))
        self.keys.append(dict(scope["headers"])[b"authorization"].decode())
        step = self.script.pop(0) if self.script else GOOD
        kind = b"application/json" if isinstance(step, int) else b"text/event-stream"
        headers = [(b"content-type", kind), (b"retry-after-ms", b"1")]
        status = step if isinstance(step, int) else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for piece in [] if isinstance(step, int) else step:
            if piece == CUT:
                raise ConnectionError("cut, as the script says")
            if piece == PAUSE:
                while (await receive())["type"] != "http.disconnect":
                    pass
                self.left.set()
                return
            data = piece if isinstance(piece, str) else json.dumps(piece, ensure_ascii=False)
            await send({"type": "http.response.body", "body": f"data: {data}\n\n".encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"{}" if isinstance(step, int) else b""})
