"""frontdesk doctor: what is wrong, and what to do."""

from __future__ import annotations

import typer
from rich.markup import escape

from bot.cli.common import out, read_settings
from bot.doctor import examine

SIGNS = {"well": "[green]✓[/]", "doubtful": "[yellow]![/]", "broken": "[red]✗[/]"}


def doctor() -> None:
    """Check the processor, disks, models, database, port, endpoints, clock and channels; change nothing."""
    broken = 0
    for finding in examine(read_settings("error")):
        out.print(f"{SIGNS[finding.state]} {finding.subject}: {escape(finding.sentence)}")
        broken += finding.state == "broken"
    if broken:
        raise typer.Exit(1)
