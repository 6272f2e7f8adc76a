"""What the generated pages say in Chinese: a file for each, docs/PAGE-words.json, with a line for every name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parent.parent


def in_chinese(page: str, english: Mapping[str, str]) -> dict[str, str]:
    """Return the Chinese of what a page says in English, which must have exactly the same names."""
    words: dict[str, str] = json.loads((DOCS / f"{page}-words.json").read_text(encoding="utf-8"))
    missing, superfluous = sorted(english.keys() - words.keys()), sorted(words.keys() - english.keys())
    if missing or superfluous:
        raise ValueError(f"docs/{page}-words.json: missing {missing}, superfluous {superfluous}")
    return words
