"""What a platform does instead of answering."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi.responses import JSONResponse, Response

Trouble = Callable[[], Response] | float
"""Instead of an answer: a response, or seconds of silence before the answer."""


def down() -> Response:
    """Answer as a proxy whose server is away."""
    return Response("<html>502 Bad Gateway</html>", 502)


def too_many(seconds: int) -> Callable[[], Response]:
    """Return what answers that this was too often."""
    return lambda: Response("", 429, headers={"Retry-After": str(seconds)})


def says(body: Any, status: int = 200) -> Callable[[], Response]:
    """Return what answers with an error in the body."""
    return lambda: JSONResponse(body, status)


@dataclass
class Script:
    """The troubles to come, one a request."""

    troubles: deque[Trouble] = field(default_factory=deque)

    def then(self, *troubles: Trouble) -> None:
        self.troubles.extend(troubles)

    async def next(self) -> Response | None:
        if not self.troubles:
            return None
        trouble = self.troubles.popleft()
        if isinstance(trouble, float):
            await asyncio.sleep(trouble)
            return None
        return trouble()
