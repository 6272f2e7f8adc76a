"""frontdesk admin: the console's users, from the machine itself."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.cli.common import out, read_settings, with_store
from bot.errors import NotFound
from bot.store.audit import AuditStore
from bot.store.entries import COMMAND_LINE
from bot.store.users import User, UserStore

app = typer.Typer(no_args_is_help=True, help="The console's users.")

Name = Annotated[str, typer.Argument(help="The user's name.")]


class RoleName(StrEnum):
    """What a user may do."""

    viewer = "viewer"
    agent = "agent"
    editor = "editor"
    owner = "owner"


@app.command("create-user")
def create_user(name: Name, role: Annotated[RoleName, typer.Option(help="What they may do.")] = RoleName.owner) -> None:
    """Make a user; the password is asked for, or read from standard input."""
    settings, password = read_settings(), _read_password()

    async def work(store: UserStore) -> User:
        user = await store.add(name, password, role.value)
        await AuditStore(store.database).add(COMMAND_LINE, "user.added", user.name, {"role": user.role})
        return user

    user = with_store(settings, UserStore, work)
    out.print(f"{escape(user.name)} may log in as {user.role}")


@app.command("set-password")
def set_password(name: Name) -> None:
    """Give a user a new password, which also ends a lock-out and all their logins."""
    settings, password = read_settings(), _read_password()

    async def work(store: UserStore) -> None:
        for user in await store.users():
            if user.name == name:
                await store.change(user.id, password=password)
                details = {"password": "changed"}  # nosec B105 - a word for the audit log
                await AuditStore(store.database).add(COMMAND_LINE, "user.changed", name, details)
                return
        raise NotFound(f"there is no user {name!r}; see: frontdesk admin list-users")

    with_store(settings, UserStore, work)
    out.print(f"{escape(name)} has a new password")


@app.command("list-users")
def list_users() -> None:
    """List the console's users."""
    table = Table("name", "role", "may log in")
    for user in with_store(read_settings(), UserStore, lambda store: store.users()):
        table.add_row(escape(user.name), user.role, "no" if not user.active else "locked" if user.locked else "yes")
    out.print(table)


def _read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
