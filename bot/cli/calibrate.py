"""frontdesk calibrate: how far the confidence of a knowledge base can be trusted, and from where on to answer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bot.cli.common import (
    counting_progress,
    err,
    loaded_embedder,
    out,
    read_all_settings,
    released_entries,
    run,
    shown_in,
    with_store,
)
from bot.sections import RoutingSettings
from bot.settings import Settings
from bot.store.settings import SettingStore
from knowledge.calibration.fitting import Fitted
from knowledge.calibration.fitting import calibrate as fit
from knowledge.entries import Entry
from knowledge.errors import IndexUnavailable
from knowledge.evaluation.metrics import calibration_error, reliability, threshold_for
from knowledge.index.snapshot import Located, open_snapshot

BAR = 30


def calibrate(
    kb: Annotated[str, typer.Option(help="The knowledge base; by default all that the bot answers from.")] = "",
    direct: Annotated[float, typer.Option(min=0.5, max=0.999, help="So many of these shall be right.")] = 0.97,
    grounded: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of all answers, so many.")] = 0.9,
    apply: Annotated[bool, typer.Option("--apply", help="Answer by these thresholds from now on.")] = False,
) -> None:
    """Ask each entry's variants with one left out, and find the thresholds for a wanted precision."""
    settings = read_all_settings("error")
    entries = released_entries(settings, kb)
    if not entries:
        raise IndexUnavailable("nothing has been published; run: frontdesk faq import FILE")
    fitted = run(_fit(settings, entries))
    if not fitted.questions:
        err.print("too few variants to ask: the shipped calibration stays. Write down more ways of asking.")
        raise typer.Exit(1)
    bands = _bands(fitted, settings.routing, direct, grounded)
    _show(fitted, settings.routing, bands)
    if apply:
        values = {f"routing.{name}": getattr(bands, name) for name in ("direct", "grounded", "clarify")}
        with_store(settings, SettingStore, lambda store: store.change(values))
        out.print("these thresholds are applied; a running server takes them over within seconds")


async def _fit(settings: Settings, entries: list[Entry]) -> Fitted:
    embedder = await loaded_embedder(settings)
    located = [Located("calibration", entry) for entry in entries]
    with tempfile.TemporaryDirectory() as folder, counting_progress() as bar:
        snapshot = await asyncio.to_thread(open_snapshot, Path(folder), located, embedder, shown_in(bar, "embedding"))
        return await asyncio.to_thread(fit, snapshot, embedder)


def _bands(fitted: Fitted, now: RoutingSettings, direct: float, grounded: float) -> RoutingSettings:
    """Return the least thresholds from which on so many answers are right."""
    asked = fitted.confidence, fitted.right, fitted.weights
    lowest = {"direct": min(1.0, threshold_for(*asked, direct)), "grounded": min(1.0, threshold_for(*asked, grounded))}
    lowest = {name: round(value, 2) for name, value in lowest.items()}
    lowest["grounded"] = min(lowest["grounded"], lowest["direct"])
    return now.model_copy(update={**lowest, "clarify": min(now.clarify, lowest["grounded"])})


def _show(fitted: Fitted, now: RoutingSettings, bands: RoutingSettings) -> None:
    error = calibration_error(fitted.confidence, fitted.right, weights=fitted.weights)
    out.print(f"{fitted.questions} questions asked, calibration error {error:.3f}")
    curve = Table("confidence", "right", "", title="can the confidence be trusted?")
    for part in reliability(fitted.confidence, fitted.right, weights=fitted.weights):
        curve.add_row(f"{part.confidence:.0%}", f"{part.right:.0%}", "█" * round(part.right * BAR))
    out.print(curve)
    table = Table("", "now", "expected", "found", "expected", title="thresholds")
    shares = [_shares(fitted, each) for each in (now, bands)]
    for name in ("direct", "grounded", "clarify"):
        table.add_row(
            name,
            f"{getattr(now, name):.2f}",
            f"{shares[0][name]:.0%}",
            f"{getattr(bands, name):.2f}",
            f"{shares[1][name]:.0%}",
        )
    table.add_row("none of these", "", f"{shares[0]['none']:.0%}", "", f"{shares[1]['none']:.0%}")
    out.print(table)


def _shares(fitted: Fitted, bands: RoutingSettings) -> Mapping[str, float]:
    """Return which share of customers' questions each outcome is expected for."""
    above = {
        name: float(fitted.weights[fitted.confidence >= getattr(bands, name)].sum() / fitted.weights.sum())
        for name in ("direct", "grounded", "clarify")
    }
    return {
        "direct": above["direct"],
        "grounded": above["grounded"] - above["direct"],
        "clarify": above["clarify"] - above["grounded"],
        "none": 1 - above["clarify"],
    }
