"""frontdesk conversations: how long what was said is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from bot.cli.common import counting_progress, err, out, read_settings, with_store
from bot.keeping.housekeeping import empty_old
from bot.store.retention import RetentionStore
from bot.store.tables import now

app = typer.Typer(no_args_is_help=True, help="What customers said.")


@app.command()
def prune(
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Older ones go; by default privacy.keep_days.")
    ] = None,
    count_only: Annotated[bool, typer.Option("--count", help="Only count them.")] = False,
) -> None:
    """Empty the conversations that were kept for long enough; the server does so by itself if privacy.keep_days is set.

    What was said, and everything that tells whose it was, goes for good; the statistics go on counting it.
    """
    settings = read_settings()
    keep_days = days or settings.privacy.keep_days
    if not keep_days:
        err.print("[red]error:[/] conversations are kept for ever (privacy.keep_days = 0); name an age: --days 365")
        raise typer.Exit(1)
    before = now() - timedelta(days=keep_days)
    due = with_store(settings, RetentionStore, lambda store: store.count_due(before))
    if count_only:
        out.print(f"{due} conversations are older than {keep_days} days")
        return
    with counting_progress() as bar:
        task = bar.add_task("conversations", total=due)
        emptied = with_store(
            settings, RetentionStore, lambda store: empty_old(store, keep_days, lambda count: bar.advance(task, count))
        )
    out.print(f"{emptied} conversations older than {keep_days} days were emptied")
