"""Writes the page of all addresses, from the OpenAPI description that a server gives, in English or in Chinese.

python -m docs.tools.routes > docs/routes.md
python -m docs.tools.routes zh > docs/routes.zh-CN.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bot.http.app import create_app
from bot.settings import Settings
from docs.tools.chinese import in_chinese


class Words(NamedTuple):
    """What the page says beside what the routes and their fields mean."""

    introduction: str
    rooms: Mapping[str, str]
    head: str
    places: Mapping[str, str]
    optional: str
    either: str
    list_of: str
    anything: str


ENGLISH = Words(
    introduction="""# Every address

[中文](routes.zh-CN.md)

What a running server describes at `/docs` (to try it) and at `/openapi.json` (for programs). [The API](api.md) explains
the most used ones with examples. Channels have addresses of their own: see [Channels](connectors.md).

This page is generated: `python -m docs.tools.routes > docs/routes.md`.""",
    rooms={
        "chat": "Chat",
        "openai": "OpenAI's shapes",
        "operation": "Operation",
        "admin": "Console and administration",
    },
    head="| field | in | type | meaning |",
    places={"path": "path", "query": "query", "header": "header", "body": "body"},
    optional="{}, optional",
    either=" or ",
    list_of="list of {}",
    anything="anything",
)
CHINESE = Words(
    introduction="""# 全部地址

[English](routes.md)

运行中的服务在 `/docs`（可以直接试）和 `/openapi.json`（给程序读）里说明的，都列在这里。
常用的几个，[接口](api.zh-CN.md)一页有例子。各渠道另有自己的地址，见[渠道](connectors.zh-CN.md)。

本页是自动生成的：`python -m docs.tools.routes zh > docs/routes.zh-CN.md`。""",
    rooms={"chat": "聊天", "openai": "OpenAI 兼容接口", "operation": "运维", "admin": "管理后台"},
    head="| 字段 | 位置 | 类型 | 含义 |",
    places={"path": "路径", "query": "查询参数", "header": "请求头", "body": "请求体"},
    optional="{}，可选",
    either=" 或 ",
    list_of="{} 的列表",
    anything="任意",
)


WORDS = {"en": ENGLISH, "zh": CHINESE}


class Field(NamedTuple):
    """Something that a route takes."""

    name: str
    place: str
    schema: dict[str, Any]
    required: bool


def describe(language: str = "en") -> str:
    """Return the page."""
    words, description = WORDS[language], create_app(Settings()).openapi()
    meanings = _meanings(description)
    if language == "zh":
        meanings = in_chinese("routes", meanings)
    return "\n".join(_lines(description, meanings, words)).rstrip() + "\n"


def _meanings(description: dict[str, Any]) -> dict[str, str]:
    """Return what every route does, and of its fields what is said of them."""
    found: dict[str, str] = {}
    for name, route in _routes(description):
        found[name] = " ".join(route["description"].split())
        for field in _fields(route, description):
            if said := field.schema.get("description"):
                found[f"{name} {field.name}"] = said
    return found


def _lines(description: dict[str, Any], meanings: Mapping[str, str], words: Words) -> Iterator[str]:
    yield from (words.introduction, "")
    for tag, title in words.rooms.items():
        yield from (f"## {title}", "")
        for name, route in _routes(description):
            if route["tags"] == [tag]:
                yield from (f"### `{name}`", "", meanings[name], "")
                fields = _fields(route, description)
                if rows := [_row(field, meanings.get(f"{name} {field.name}", ""), words) for field in fields]:
                    yield from (words.head, "| --- | --- | --- | --- |", *rows, "")


def _routes(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            yield f"{method.upper()} {path}", route


def _fields(route: dict[str, Any], description: dict[str, Any]) -> Iterator[Field]:
    for each in route.get("parameters", ()):
        yield Field(each["name"], each["in"], each["schema"], each.get("required", False))
    content = route.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    body = description["components"]["schemas"].get(reference.rpartition("/")[2], {})
    for name, schema in body.get("properties", {}).items():
        yield Field(name, "body", schema, name in body.get("required", ()))


def _row(field: Field, meaning: str, words: Words) -> str:
    kind = _type(field.schema, words)
    kind = kind if field.required else words.optional.format(kind)
    return f"| `{field.name}` | {words.places[field.place]} | {kind} | {meaning} |"


def _type(schema: dict[str, Any], words: Words) -> str:
    if "enum" in schema:
        return words.either.join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        kinds = (_type(each, words) for each in schema["anyOf"] if each != {"type": "null"})
        return words.either.join(dict.fromkeys(kinds))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return words.list_of.format(_type(schema["items"], words))
    return str(schema.get("format") or schema.get("type", words.anything))


if __name__ == "__main__":
    sys.stdout.write(describe(*sys.argv[1:]))
