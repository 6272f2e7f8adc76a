"""What the site needs beyond mkdocs and its plugins: links between languages, and a search index for each language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rjieba
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

CHINESE = "zh-CN"
SUFFIX = f".{CHINESE}.md"
SWITCH = re.compile(r"^\[(?:中文|English)\]\([\w./-]+\)\n", re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)([\w./-]+\.md)(#[^)]*)?\)")
ALTERNATE = re.compile(r'\s*<link rel="alternate"[^>]*>')
BASE = re.compile(r'("base": )"[^"]*"')
HAN = re.compile(r"[\u3400-\u9fff]+")
PREFORMATTED = re.compile(r"(<pre.*?</pre>)", re.DOTALL)
BROKEN = re.compile(r"(?<=[\u2e80-\u9fff\uff00-\uffef])\n(?=[\u2e80-\u9fff\uff00-\uffef])")
WORD_END = "\u200b"
"""What the theme's search looks for between Chinese words: an invisible space."""

SEPARATORS = {"en": r"[\s\-_./`]+", "zh": r"[\s\u200b\u3000\-_./`、。，．？！；：（）“”]+"}


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Take out the line that names the other language, since the site has a switch, and lead links to its pages."""
    source = Path(config.docs_dir) / page.file.src_uri
    up = "../" * page.url.count("/")

    def lead(match: re.Match[str]) -> str:
        name, anchor = match[1], match[2] or ""
        if name.endswith(SUFFIX):
            return f"]({name.removesuffix(SUFFIX)}.md{anchor})"
        target = source.parent / name
        translated = target.with_name(f"{target.stem}{SUFFIX}")
        if source.name.endswith(SUFFIX) and translated.exists():  # the English page is meant
            inside = target.resolve().relative_to(Path(config.docs_dir).resolve()).with_suffix("")
            return f"]({up}{inside.as_posix()}/{anchor})"
        return match[0]

    return LINK.sub(lead, SWITCH.sub("", markdown))


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Join Chinese lines, between which a browser would show a space."""
    pieces = PREFORMATTED.split(html)
    return "".join(piece if piece.startswith("<pre") else BROKEN.sub("", piece) for piece in pieces)


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001
    """Have the Chinese pages search Chinese pages: the script looks for its index below its `base`.

    For every page that a `link` names in another language the script asks for a site map beside it, which is not there.
    """
    output = ALTERNATE.sub("", output)
    if not page.url.startswith(f"{CHINESE}/"):
        return output
    base = "/".join([".."] * (page.url.count("/") - 1)) or "."
    return BASE.sub(rf'\1"{base}"', output, count=1)


@event_priority(-200)  # after the languages have been put together
def on_post_build(*, config: MkDocsConfig) -> None:
    """Write an index for each language, with the Chinese one cut into words."""
    path = Path(config.site_dir) / "search" / "search_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    docs = index["docs"]
    chinese = [doc for doc in docs if doc["location"].startswith(f"{CHINESE}/")]
    english = [doc for doc in docs if not doc["location"].startswith(f"{CHINESE}/")]
    _write(path, index, "en", english)
    own = ({**_cut(doc), "location": doc["location"].removeprefix(f"{CHINESE}/")} for doc in chinese)
    _write(Path(config.site_dir) / CHINESE / "search" / "search_index.json", index, "zh", own)


def _write(path: Path, index: dict[str, Any], language: str, docs: Iterable[dict[str, Any]]) -> None:
    options = {**index["config"], "lang": ["en"] if language == "en" else ["en", "zh"]}
    options["separator"] = SEPARATORS[language]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"config": options, "docs": list(docs)}, ensure_ascii=False), encoding="utf-8")


def _cut(doc: dict[str, Any]) -> dict[str, Any]:
    return {**doc, **{part: HAN.sub(_words, doc[part]) for part in ("title", "text")}}


def _words(match: re.Match[str]) -> str:
    return WORD_END + WORD_END.join(rjieba.cut(match[0])) + WORD_END
