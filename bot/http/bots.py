"""Which bot a request is for."""

from __future__ import annotations

from fastapi import Request

from bot.desk import FrontDesk
from bot.http.errors import RequestError

HEADER = "X-FrontDesk-Bot"


def bot_of(request: Request) -> str:
    """Return the name of the bot in a request's header or query, empty for the one without a name."""
    name = request.headers.get(HEADER) or request.query_params.get("bot", "")
    if name not in request.app.state.parts.desks:
        raise RequestError(404, "unknown_bot", f"there is no bot {name!r}; name it in the settings: [bots.{name}]")
    return name


def desk_of(request: Request) -> FrontDesk:
    """Return the desk of the bot that a request is for."""
    desk: FrontDesk = request.app.state.parts.desks[bot_of(request)]
    return desk
