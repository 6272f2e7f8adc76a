"""The command `frontdesk`."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.markup import escape

from bot.cli import (
    actions,
    admin,
    ask,
    backup,
    bench,
    calibrate,
    config,
    conversations,
    customers,
    doctor,
    evaluate,
    faq,
    models,
    serve,
    train_embedder,
    tune,
)
from bot.cli.common import err
from knowledge.errors import FrontDeskError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="FrontDesk answers customers from your company's own FAQ.",
)
app.command()(serve.serve)
app.command()(ask.ask)
app.command()(ask.chat)
app.command()(actions.actions)
app.command()(evaluate.evaluate)
app.command()(calibrate.calibrate)
app.command()(doctor.doctor)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(tune.tune)
app.command("train-embedder")(train_embedder.train_embedder)
app.add_typer(faq.app, name="faq")
app.add_typer(models.app, name="models")
app.add_typer(bench.app, name="bench")
app.add_typer(admin.app, name="admin")
app.add_typer(config.app, name="config")
app.add_typer(conversations.app, name="conversations")
app.add_typer(customers.app, name="customers")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("frontdesk-bot"))
        raise typer.Exit


@app.callback()
def callback(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that go before a command."""


def main() -> None:
    """Run a command; whatever goes wrong on purpose is one line, with exit status 1."""
    try:
        app()
    except FrontDeskError as error:
        err.print(f"[red]error:[/] {escape(str(error))}")
        sys.exit(1)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
