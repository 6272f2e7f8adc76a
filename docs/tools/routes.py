"""Writes docs/routes.md, the page of all addresses, from the OpenAPI description that a server gives.

python -m docs.tools.routes > docs/routes.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from bot.http.app import create_app
from bot.settings import Settings

ROOMS = {"chat": "Chat", "openai": "OpenAI's shapes", "operation": "Operation", "admin": "Console and administration"}
INTRODUCTION = """# Every address

What a running server describes at `/docs` (to try it) and at `/openapi.json` (for programs). [The API](api.md) explains
the most used ones with examples. Channels have addresses of their own: see [Channels](connectors.md).

This page is generated: `python -m docs.tools.routes > docs/routes.md`."""


def describe() -> str:
    """Return the page."""
    return "\n".join(_lines(create_app(Settings()).openapi())).rstrip() + "\n"


def _lines(description: dict[str, Any]) -> Iterator[str]:
    yield from (INTRODUCTION, "")
    schemas = description["components"]["schemas"]
    for tag, title in ROOMS.items():
        yield from (f"## {title}", "")
        for path, methods in description["paths"].items():
            for method, route in methods.items():
                if route["tags"] == [tag]:
                    yield from _route(f"{method.upper()} {path}", route, schemas)


def _route(name: str, route: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield from (f"### `{name}`", "", " ".join(route["description"].split()), "")
    rows = [_row(each["name"], each["in"], each["schema"], each.get("required", False)) for each in _given(route)]
    content = route.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    body = schemas.get(reference.rpartition("/")[2], {})
    for field, schema in body.get("properties", {}).items():
        rows.append(_row(field, "body", schema, field in body.get("required", ())))
    if rows:
        yield from ("| field | in | type | meaning |", "| --- | --- | --- | --- |", *rows, "")


def _given(route: dict[str, Any]) -> list[dict[str, Any]]:
    return list(route.get("parameters", ()))


def _row(name: str, place: str, schema: dict[str, Any], required: bool) -> str:  # noqa: FBT001 - as OpenAPI has it
    wanted = "" if required else ", optional"
    return f"| `{name}` | {place} | {_type(schema)}{wanted} | {schema.get('description', '')} |"


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"] if each != {"type": "null"}))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "anything"))


if __name__ == "__main__":
    sys.stdout.write(describe())
