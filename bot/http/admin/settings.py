"""The settings that an owner may change while the bot answers, and whether what they name works."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from bot.configuration import Configuration
from bot.http.admin.access import Admin, KnowledgeReader, audit, backoffice_of, parts_of
from bot.models.base import ChatMessage, Sampling
from knowledge.errors import ModelError

router = APIRouter()

TEST_TOKENS = 16


class SettingChanges(BaseModel):
    """Settings by "section.name"; null takes one back to its default."""

    model_config = ConfigDict(extra="forbid")
    values: dict[str, Any]


def configuration_of(request: Request) -> Configuration:
    """Return the application's configuration."""
    configuration: Configuration = request.app.state.configuration
    return configuration


@router.get("/settings")
async def list_settings(request: Request, _actor: Admin) -> dict[str, Any]:
    """List the settings; of a secret only whether there is one."""
    return {"settings": [asdict(setting) for setting in configuration_of(request).settings()]}


@router.patch("/settings")
async def change_settings(body: SettingChanges, request: Request, actor: Admin) -> dict[str, Any]:
    """Change settings, all or none; they hold from the next question on."""
    configuration = configuration_of(request)
    await configuration.change(body.values)
    secret = {f"{each.section}.{each.name}" for each in configuration.settings() if each.secret}
    shown = {name: "(secret)" if name in secret and value else value for name, value in body.values.items()}
    await audit(request, actor, "settings.changed", ", ".join(body.values), **shown)
    return await list_settings(request, actor)


@router.post("/settings/remote/test")
async def ask_remote(request: Request, _actor: Admin) -> dict[str, Any]:
    """Ask the remote model for a word, and say what came of it."""
    remote = parts_of(request).desk.remote
    if remote is None:
        return {"works": False, "message": "remote.base_url is not set", "ms": None}
    begun = time.perf_counter()
    generation = remote.generate([ChatMessage("user", "回复：好")], Sampling(max_tokens=TEST_TOKENS))
    try:
        text = "".join([piece async for piece in generation])
    except ModelError as error:
        return {"works": False, "message": str(error), "ms": None}
    finally:
        await generation.aclose()
    return {"works": True, "message": text.strip(), "ms": round((time.perf_counter() - begun) * 1_000)}


@router.get("/settings/confidence")
async def show_confidence(request: Request, _actor: KnowledgeReader) -> dict[str, Any]:
    """Say how sure the bot was of its latest answers, how these were rated, and how far its confidence can be trusted.

    `curve` holds groups of the knowledge base's own variants, each asked while it was left out: the confidence, and the
    share that was answered right; it is empty where there are too few.
    """
    bins = await backoffice_of(request).confidence.bins()
    searcher = parts_of(request).desk.knowledge.searcher
    curve = searcher.calibration.curve if searcher else ()
    return {
        "bins": [asdict(each) for each in bins],
        "curve": [{"confidence": confidence, "right": right} for confidence, right in curve],
    }
