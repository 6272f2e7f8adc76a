"""The channels that customers come by, and whether they work."""

from __future__ import annotations

from collections.abc import Coroutine
from itertools import chain
from typing import Any

from fastapi import APIRouter, Request

from bot.channels.switchboard import Switchboard
from bot.errors import ChannelError, NotFound
from bot.http.admin.access import Admin, parts_of

router = APIRouter()


def switchboard_of(request: Request) -> Switchboard:
    """Return the application's switchboard."""
    switchboard: Switchboard = request.app.state.switchboard
    return switchboard


@router.get("/channels")
async def list_channels(request: Request, _actor: Admin) -> dict[str, Any]:
    """List the channels that the settings name.

    `problem` says what a channel lacks, or why its last message did not arrive; `waiting` counts the messages whose
    answer has not arrived yet, and `paths` is what the platform calls. `sites` may show the widget.
    """
    switchboard = switchboard_of(request)
    waiting = await switchboard.store.waiting()
    working: list[dict[str, Any]] = [
        {
            "name": channel.name,
            "kind": channel.kind,
            "bot": channel.bot,
            "problem": channel.failure,
            "worked_at": channel.worked_at,
            "waiting": waiting.get(channel.name, 0),
            "paths": channel.paths,
        }
        for channel in switchboard.channels.values()
    ]
    lacking: list[dict[str, Any]] = [
        {"name": name, "kind": "", "bot": "", "problem": problem, "worked_at": None, "waiting": 0, "paths": []}
        for name, problem in switchboard.missing.items()
    ]
    return {"channels": [*working, *lacking], "people": list(switchboard.adapters), "sites": _sites(request)}


@router.post("/channels/{name}/test")
async def check_channel(name: str, request: Request, _actor: Admin) -> dict[str, Any]:
    """Ask a channel's platform who we are there, and say what came of it."""
    switchboard = switchboard_of(request)
    channel = switchboard.channels.get(name)
    if channel is None:
        raise NotFound(f"no channel {name} is set up")
    return await _check(channel.connector.check())


@router.post("/people/{name}/test")
async def check_adapter(name: str, request: Request, _actor: Admin) -> dict[str, Any]:
    """Try a way to call people; where that is possible only by telling them something, they are told of the test."""
    adapter = switchboard_of(request).adapters.get(name)
    if adapter is None:
        raise NotFound(f"no way {name} to call people is set up")
    return await _check(adapter.check())


def _sites(request: Request) -> list[str]:
    settings = parts_of(request).desk.settings
    of_bots = (bot.allowed_origins for bot in settings.bots.values())
    return sorted({*settings.server.allowed_origins, *chain.from_iterable(of_bots)})


async def _check(checking: Coroutine[Any, Any, str]) -> dict[str, Any]:
    try:
        return {"works": True, "message": await checking}
    except ChannelError as error:
        return {"works": False, "message": str(error)}
