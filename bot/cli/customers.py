"""frontdesk customers: one customer's data, given out or erased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bot.cli.common import err, out, read_settings, with_store
from bot.keeping.archive import owners_file
from bot.store.audit import AuditStore
from bot.store.customers import EXPORTED, Customer, CustomerStore
from bot.store.entries import COMMAND_LINE

app = typer.Typer(no_args_is_help=True, help="One customer's data.")

Name = Annotated[
    str,
    typer.Argument(help="A visitor, your site's id of a user, a conversation, or a user or thread of a channel."),
]


@app.command()
def show(name: Name) -> None:
    """Say how much is kept of a customer."""
    _tell(with_store(read_settings(), CustomerStore, lambda store: store.customer(name)))


@app.command()
def export(
    name: Name,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file to write, for its owner only.")] = None,
) -> None:
    """Write all that is kept of a customer as JSON."""

    async def work(store: CustomerStore) -> dict[str, object]:
        held = await store.export(name)
        await AuditStore(store.database).add(COMMAND_LINE, EXPORTED, name, {})
        return held

    text = json.dumps(with_store(read_settings(), CustomerStore, work), ensure_ascii=False, indent=2)
    if output is None:
        typer.echo(text)
    else:
        owners_file(output, text.encode())
        out.print(f"{escape(str(output))} is written")


@app.command()
def erase(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False
) -> None:
    """Delete all that is kept of a customer, for good; the audit log keeps that it was done, not whose it was."""
    settings = read_settings()
    _tell(with_store(settings, CustomerStore, lambda store: store.customer(name)))
    if not yes:
        typer.confirm("Erase all of this for good?", abort=True)
    with_store(settings, CustomerStore, lambda store: store.erase(name, COMMAND_LINE))
    out.print("erased; a backup made before still has it")


def _tell(customer: Customer) -> None:
    out.print(f"known as {escape(', '.join(customer.visitors) or 'nobody')} on {escape(', '.join(customer.channels))}")
    out.print(
        f"{customer.conversations} conversations, {customer.turns} questions, {customer.messages} lines of agents, "
        f"{customer.threads} threads"
    )
    if customer.first_at and customer.last_at:
        out.print(f"from {customer.first_at:%Y-%m-%d} to {customer.last_at:%Y-%m-%d}")
    for entry in customer.in_faq:
        err.print(f"[yellow]![/] the entry {escape(entry)} has this customer's words; it is not erased with them")
