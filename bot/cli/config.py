"""frontdesk config: what is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from rich.markup import escape
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.cli.common import out, read_settings
from bot.plugins import GROUPS, kinds_of
from bot.sections import Section
from bot.settings import PREFIX, Settings, config_path

app = typer.Typer(no_args_is_help=True, help="The settings.")

INTRODUCTION = """# Settings

[中文](settings.zh-CN.md)

Read once at start, from `frontdesk.toml` in the current folder (or the file that `FRONTDESK_CONFIG` names),
then from variables, which win. A key that is no setting is refused by name. This page is generated:
`frontdesk config show --markdown > docs/settings.md`."""
HEAD = "| setting | default | variable | meaning |"


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


def describe_settings(
    introduction: str = INTRODUCTION, head: str = HEAD, words: Mapping[str, str] | None = None
) -> str:
    """Return the page of documentation that lists all settings; `words` are their meanings in another language."""
    words = words or meanings()
    lines = [introduction, ""]
    for table, model in _tables():
        if table:
            lines += [f"## [{table}]", "", words[table], ""]
        lines += [head, "| --- | --- | --- | --- |"]
        for name, field in _fields(table, model).items():
            default = "" if field.default in (None, PydanticUndefined) else f"`{_toml(field.default)}`"
            variable = PREFIX + name.replace(".", "__").upper()
            lines.append(f"| `{name.rpartition('.')[2]}` | {default} | `{variable}` | {words[name]} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def meanings() -> dict[str, str]:
    """Return what every table and every setting means, by its dotted name."""
    found: dict[str, str] = {}
    for table, model in _tables():
        if table:
            found[table] = (model.__doc__ or "").strip()
        found |= {name: str(field.description) for name, field in _fields(table, model).items()}
    return found


def _tables() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every table by its dotted name; the first, of the settings that stand before any table, has none."""
    yield "", Settings
    for name, field in Settings.model_fields.items():
        if section := _section(field.annotation):
            yield name, section
    for group in GROUPS:
        for kind, point in sorted(kinds_of(group).items()):
            yield f"{group}.{kind}", point.load().Settings


def _fields(table: str, model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the settings of a table by their dotted names."""
    prefix = f"{table}." if table else ""
    plain = {name: field for name, field in model.model_fields.items() if not _section(field.annotation)}
    return {f"{prefix}{name}": field for name, field in plain.items()}


def _section(annotation: object) -> type[Section] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


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
