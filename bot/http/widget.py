"""The website widget: one script, composed of the chat page's modules and the widget's own."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.http.bots import desk_of

FOLDER = Path(__file__).parent
SCRIPTS = (
    *(FOLDER / "page" / f"{name}.js" for name in ("icons", "dom", "clipboard", "markdown", "texts", "api", "memory")),
    *(FOLDER / "page" / f"{name}.js" for name in ("answering", "bubbles", "layout", "live", "scrolling")),
    *(FOLDER / "page" / f"{name}.js" for name in ("composer", "screen", "chat")),
    *(FOLDER / "widget" / f"{name}.js" for name in ("words", "colour", "attach", "launcher", "visitor", "widget")),
)
"""Each after all that it uses: in the script, a module is a function that has run."""

STYLES = (
    *(FOLDER / "page" / f"{name}.css" for name in ("tokens", "base", "chat")),
    FOLDER / "widget" / "widget.css",
)

_COMMENT = re.compile(r"^\s*(?:/\*\*(?:.|\n)*?\*/|//.*)$\n?|/\*(?:.|\n)*?\*/|(?<=[;,{})]) // .*$", re.MULTILINE)
_IMPORT = re.compile(r"^import (\{[^}]+\}) from \"[./\w-]*?(\w+)\.js\";$", re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function\*?|class|const|let) (\w+))", re.MULTILINE)
_INDENTATION = re.compile(r"^[ \t]+|^\n", re.MULTILINE)
_CSS_SPACE = re.compile(r"\s*([{};,>])\s*|(?<=:)\s+")

router = APIRouter()


@lru_cache(maxsize=4)
def compose_widget(theme: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return the script: the modules as functions, their styles as a string, comments and idle spaces dropped.

    `theme` is what holds where a site's script tag does not say: color, position, avatar.
    """
    styles = "".join(_bare_css(path.read_text(encoding="utf-8")) for path in STYLES).replace(":root", ":host")
    modules = "".join(_as_function(path) for path in SCRIPTS)
    constants = f"const STYLES = {json.dumps(styles)};\nconst THEME = {json.dumps(dict(theme))};\n"
    return f'(() => {{\n"use strict";\n{constants}{modules}}})();\n'.encode()


def _as_function(path: Path) -> str:
    source = _bare(path.read_text(encoding="utf-8"))
    exported = ", ".join(match[2] for match in _EXPORT.finditer(source))
    body = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = \2_module;", source))
    return f"const {path.stem}_module = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n"


def _bare(source: str) -> str:
    return _INDENTATION.sub("", _COMMENT.sub("", source))


def _bare_css(source: str) -> str:
    return _CSS_SPACE.sub(r"\1", _bare(source))


@lru_cache(maxsize=4)
def _compressed(theme: tuple[tuple[str, str], ...]) -> tuple[bytes, str]:
    script = compose_widget(theme)
    return gzip.compress(script, mtime=0), f'"{hashlib.sha256(script).hexdigest()[:20]}"'


@router.get("/widget.js", include_in_schema=False)
async def widget(request: Request) -> Response:
    """Give the script to any site; what it may do there is for the origins to say."""
    theme = tuple((name, value) for name, value in desk_of(request).settings.widget if value)
    compressed, tag = _compressed(theme)
    headers = {
        "ETag": tag,
        "Cache-Control": "public, max-age=300",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(compose_widget(theme), headers=headers, media_type="text/javascript")
    return Response(compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type="text/javascript")
