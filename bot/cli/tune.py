"""frontdesk tune: the number of threads that makes the local model fastest on this machine."""

from __future__ import annotations

import stat
from collections.abc import MutableMapping
from pathlib import Path
from typing import Annotated, Any

import tomlkit
import typer
from rich.table import Table
from tomlkit.exceptions import TOMLKitError

from bot.assembly import chat_weights
from bot.cli.common import counting_progress, out, read_settings, shown_in
from bot.errors import SettingsError
from bot.models.engine.measuring import Speed, choices, measure
from bot.settings import config_path
from knowledge.llama import is_slow_build, processor_features
from knowledge.machine import available_threads


def tune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what is fastest.")] = False,
) -> None:
    """Measure the local chat model for about a minute, and write the fastest number of threads to frontdesk.toml."""
    weights = chat_weights(read_settings())
    if is_slow_build():
        out.print(f"[yellow]llama-cpp-python was built without SIMD: make rebuild-llama[/] ({processor_features()})")
    with counting_progress() as bar:
        speeds = measure(weights, choices(available_threads()), shown_in(bar, "measuring"))
    out.print(f"{weights.record.name}, in tokens a second:")
    _show(speeds)
    if not dry_run:
        write_settings(config_path(), {"models": {"threads": speeds[0].threads}})
        out.print(f"[green]written to {config_path().resolve()}[/]; it counts from the next start on")


def write_settings(path: Path, sections: dict[str, dict[str, Any]]) -> None:
    """Set values in a settings file, leaving all else in it as it stands, comments too.

    Raises:
        SettingsError: the file is no TOML, or cannot be written.
    """
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.is_file() else tomlkit.document()
        for section, values in sections.items():
            table = document.setdefault(section, tomlkit.table())
            if not isinstance(table, MutableMapping):
                raise SettingsError(f"{section} is no section in {path}")
            table.update(values)
        real = path.resolve()
        partial = real.with_suffix(".partial")
        partial.touch(stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o600)
        partial.write_text(tomlkit.dumps(document), encoding="utf-8")
        partial.replace(real)
    except (OSError, TOMLKitError) as error:
        raise SettingsError(f"{path} cannot be written: {error}") from error


def _show(speeds: list[Speed]) -> None:
    table = Table("threads", "prompt", "one answer", "eight answers", "a usual answer")
    for speed in speeds:
        table.add_row(
            str(speed.threads),
            f"{speed.prompt:.0f}",
            f"{speed.alone:.0f}",
            f"{speed.together:.0f}",
            f"{speed.seconds:.2f} s",
        )
    out.print(table)
