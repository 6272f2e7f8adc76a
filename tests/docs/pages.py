"""The pages, and the pieces of code in them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
READMES = ["README.md", "README.zh-CN.md"]
PAGES = [
    *READMES,
    "CONTRIBUTING.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))),
]
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced piece of code."""

    page: str
    language: str
    text: str

    def __str__(self) -> str:
        """Name it for the list of tests."""
        return f"{self.page}: {self.text.strip().splitlines()[0][:40] if self.text.strip() else ''}"


def read(page: str) -> str:
    """Return a page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """Return the pieces of a page that are in one language, without their indentation."""
    return [
        textwrap.dedent(text) if indent else text
        for indent, name, text in BLOCK.findall(read(page))
        if name == language
    ]


def all_blocks(language: str) -> list[Block]:
    """Return the pieces of all pages that are in one language."""
    return [Block(page, language, text) for page in PAGES for text in blocks(page, language)]


def pages_with(language: str) -> list[str]:
    """Return the pages that have a piece in a language."""
    return list(dict.fromkeys(block.page for block in all_blocks(language)))


def commands(text: str) -> list[str]:
    """Return the lines of a shell block, each whole."""
    return [
        line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
