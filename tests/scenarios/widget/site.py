"""A foreign site whose styles are hostile and whose Content-Security-Policy is strict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

HOSTILE = """
* { all: unset !important; font-size: 40px !important; color: red !important; direction: rtl !important }
div, section, button, textarea { display: none !important }
body, h1 { display: block !important }
"""

ARABIC: dict[str, Any] = {"placeholder": "اكتب سؤالك…", "open": "افتح المحادثة", "people": {"serving": "{0} معك الآن"}}


@dataclass
class Site:
    """A shop's site; `bot` is where its widget comes from, `attributes` what its script tag says, twice by mistake."""

    server: ThreadingHTTPServer
    bot: str = ""
    attributes: str = 'data-locale="zh"'
    direction: str = "ltr"

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def reply(self, path: str) -> tuple[str, str]:
        if path.endswith(".css"):
            return "text/css", HOSTILE
        if path.endswith(".json"):
            return "application/json", json.dumps(ARABIC)
        script = f'<script src="{self.bot}/widget.js" {self.attributes} defer></script>'
        style = "" if path == "/calm" else '<link rel="stylesheet" href="/hostile.css">'
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">{style}{script * 2}'
        return (
            "text/html",
            f'<!doctype html><html dir="{self.direction}"><head>{head}</head><body><h1>青禾家居</h1></body></html>',
        )
