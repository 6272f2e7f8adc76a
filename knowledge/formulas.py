"""Texts in CSV files that a spreadsheet program would compute: an apostrophe before them makes them texts again."""

from __future__ import annotations

import re

_COMPUTED = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
"""As in OWASP's page on CSV injection; apostrophes of one's own count too, so that exactly one more is taken off."""


def disarm(text: str) -> str:
    """Return a text as a spreadsheet program takes it for text."""
    return f"'{text}" if _COMPUTED.match(text) else text


def rearm(text: str) -> str:
    """Return what a text was before `disarm`."""
    return text[1:] if text.startswith("'") and _COMPUTED.match(text) else text
