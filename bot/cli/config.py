"""frontdesk config: what is set."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from rich.markup import escape
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.cli.common import out, read_settings
from bot.plugins import GROUPS, kinds_of
from bot.sections import Section
from bot.settings import PREFIX, Settings, config_path

app = typer.Typer(no_args_is_help=True, help="The settings.")


@app.command()
def show(
    markdown: Annotated[bool, typer.Option(help="Describe every setting, as docs/settings.md does.")] = False,
) -> None:
    """Show every setting with its value; secrets stay hidden."""
    if markdown:
        typer.echo(describe_settings(), nl=False)
        return
    settings = read_settings()
    path = config_path()
    out.print(f"# {path.resolve()}{'' if path.is_file() else ' (not there: defaults and variables only)'}")
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            out.print(f"\n[bold]\\[{name}][/]")
            for inner in type(value).model_fields:
                out.print(f"{inner} = {escape(_toml(getattr(value, inner)))}")
        else:
            out.print(f"{name} = {escape(_toml(_without_password(value) if name == 'database_url' else value))}")


def _without_password(url: str | None) -> str | None:
    try:
        return make_url(url).render_as_string(hide_password=True) if url else None
    except ArgumentError:
        return "**********"


def describe_settings() -> str:
    """Return the page of documentation that lists all settings."""
    lines = [
        "# Settings",
        "",
        "Read once at start, from `frontdesk.toml` in the current folder (or the file that `FRONTDESK_CONFIG` names),",
        "then from variables, which win. A key that is no setting is refused by name. This page is generated:",
        "`frontdesk config show --markdown > docs/settings.md`.",
        "",
    ]
    plain = [name for name, field in Settings.model_fields.items() if not _section(field.annotation)]
    lines += _table(Settings, plain, "")
    for name, field in Settings.model_fields.items():
        if section := _section(field.annotation):
            lines += [f"## [{name}]", "", (section.__doc__ or "").strip(), ""]
            lines += _table(section, list(section.model_fields), f"{name}__")
    for table in GROUPS:
        for kind, point in sorted(kinds_of(table).items()):
            settings = point.load().Settings
            lines += [f"## [{table}.{kind}]", "", (settings.__doc__ or "").strip(), ""]
            lines += _table(settings, list(settings.model_fields), f"{table}__{kind}__")
    return "\n".join(lines).rstrip() + "\n"


def _section(annotation: object) -> type[Section] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def _table(model: type[BaseModel], names: list[str], prefix: str) -> list[str]:
    lines = ["| setting | default | variable | meaning |", "| --- | --- | --- | --- |"]
    for name in names:
        field = model.model_fields[name]
        default = "" if field.default in (None, PydanticUndefined) else f"`{_toml(field.default)}`"
        lines.append(f"| `{name}` | {default} | `{PREFIX}{prefix.upper()}{name.upper()}` | {field.description} |")
    return [*lines, ""]


def _toml(value: object) -> str:
    match value:
        case None:
            return '""'
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(value) + "}"
    return f'"{value}"'
