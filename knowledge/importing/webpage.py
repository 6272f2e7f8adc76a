"""Web pages (HTML): their main content as Markdown, with every question that only unfolds on a click as a heading."""

from __future__ import annotations

import codecs
import copy
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from knowledge.errors import ImportFileError
from knowledge.importing.markdown import Section, split
from knowledge.importing.readers import decode

MAX_BYTES = 10 << 20
MAX_ELEMENTS = 50_000
MAX_TEXT = 1_000_000
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9_-]{2,20})""", re.IGNORECASE)
_WEB_CHARSET = re.compile(
    r"(?:gb|big5|utf-?8|utf-?16|iso-?8859|windows-|cp\d|shift|euc|koi8|latin|ascii|us-ascii)", re.IGNORECASE
)
_LINK = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_HEADING_LINE = re.compile(r"^#{1,6} ", re.MULTILINE)
_ESCAPED = re.compile(r"(?<!^)\\([\\`*_{}\[\]()#+.!|>~-])", re.MULTILINE)
_SPACES = re.compile(r"\s+")
_FURNITURE = (
    "head", "script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "svg", "iframe",
    "object", "select", "textarea", "dialog",
)  # fmt: skip
_BLOCKS = frozenset(
    ("address", "article", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
     "figure", "hr", "html", "main", "ol", "p", "section", "summary", "table", "tbody", "td", "tr", "ul")
)  # fmt: skip


def read_sections(content: bytes, name: str) -> list[Section]:
    """Return the sections of a page; the text above the first heading is one without a title."""
    import lxml.html  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional extra

    if len(content) > MAX_BYTES:
        raise ImportFileError("too_large", name=name, limit=MAX_BYTES >> 20)
    text = _decode(content, name)
    if "<" not in text:
        raise ImportFileError("not_html", name=name)
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    tree = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    if sum(1 for _ in tree.iter()) > MAX_ELEMENTS:
        raise ImportFileError("too_many_elements", name=name, limit=MAX_ELEMENTS)
    lxml.etree.strip_elements(tree, "script", "style", "template", with_tail=False)
    if len(tree.text_content()) > MAX_TEXT:
        raise ImportFileError("too_much_text", name=name, limit=MAX_TEXT)
    _tame_links(tree)
    _unfold(tree)
    markdown = _main_content(tree)
    above = _HEADING_LINE.split(markdown, maxsplit=1)[0]
    sections = [Section(0, 0, "", above.splitlines()), *split(markdown)]
    return [section for section in sections if section.title or section.has_text]


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        declared = _CHARSET.search(content[:4096])
    charset = declared[1].decode() if declared else ""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or not _WEB_CHARSET.match(charset):
        return decode(content, name)
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return decode(content, name)


def _tame_links(tree: Any) -> None:
    """Make links absolute by the address that the page gives itself, and keep only the words of all others."""
    places = tree.xpath("//base/@href | //link[@rel='canonical']/@href | //meta[@property='og:url']/@content")
    base = next((place for place in places if _LINK.match(place)), "")
    for link in list(tree.iter("a")):
        try:
            address = urljoin(base, link.get("href", "").strip())
        except ValueError:
            address = ""
        in_heading = any(ancestor.tag in (*HEADINGS, "summary", "dt") for ancestor in link.iterancestors())
        if _LINK.match(address) and not in_heading and not re.search(r"[\s()<>\[\]]", address):
            link.set("href", address)
        else:
            link.tag = "span"


def _unfold(tree: Any) -> None:
    """Make plain headings of all headings and of what is clicked to unfold an answer, and show the answers."""
    headings: list[tuple[Any, int]] = []
    level = 1
    for element in tree.iter():
        if _unfolds(element):
            headings.append((element, level + 1))
        elif element.tag in HEADINGS and not any(map(_unfolds, element.iterancestors())):
            level = int(element.tag[1])
            headings.append((element, level))
    for element, level in headings:
        words = _words(element).rstrip("#¶ ")
        element.clear(keep_tail=True)
        element.tag, element.text = f"h{min(level, 6)}", words
    for element in list(tree.iter("details", "dl")):
        if element.tag == "details" or any(child.tag in HEADINGS for child in element.iter()):
            for part in [element, *element.iter("dd")]:
                part.tag = "div"  # as a list, or hidden, it would lose its headings
    _show_answers(tree)


def _show_answers(tree: Any) -> None:
    controlled = {name for names in tree.xpath("//@aria-controls") for name in names.split()}
    for element in tree.iter():
        before = element.getprevious()
        if element.get("id") in controlled or (before is not None and before.tag in HEADINGS):
            for attribute in ("hidden", "aria-hidden", "style"):
                element.attrib.pop(attribute, None)


def _unfolds(element: Any) -> bool:
    match element.tag:
        case "summary":
            return True
        case "button":
            return "aria-expanded" in element.attrib and _is_question(element)
        case "dt":
            return _is_question(element)
    return False


def _words(element: Any) -> str:
    return " ".join(str(element.text_content()).split())


def _is_question(element: Any) -> bool:
    return _words(element).endswith(("?", "？"))


def _main_content(tree: Any) -> str:
    """Return what trafilatura takes for the content, or all but the furniture if headings would be lost by it."""
    import trafilatura  # noqa: PLC0415 - an optional extra

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = trafilatura.extract(
        copy.deepcopy(tree), output_format="markdown", favor_recall=True, include_comments=False, include_links=True
    )
    found = _ESCAPED.sub(r"\1", found or "")
    regions = tree.xpath("//main | //*[@role='main']") or tree.xpath("//article") or tree.xpath("//body")
    whole = _tidy("".join(piece for region in regions for piece in _render(region)))
    needed = len(_HEADING_LINE.findall(whole)) * (1.0 if regions[0].tag != "body" else 0.6)
    return found if found and len(_HEADING_LINE.findall(found)) >= needed else whole


def _render(element: Any) -> Iterator[str]:
    """Give the Markdown of an element, with too much white space."""
    tag = element.tag
    if tag in _FURNITURE or element.get("aria-hidden") == "true":
        return
    before, after = "", ""
    if tag in HEADINGS:
        before, after = "\n\n" + "#" * int(tag[1]) + " ", "\n\n"
    elif tag == "table" and not element.xpath("boolean(.//table | .//h1 | .//h2 | .//h3 | .//h4 | .//h5 | .//h6)"):
        yield "\n\n" + "\n".join(_table(element)) + "\n\n"
        return
    elif tag == "pre":
        yield f"\n\n```\n{element.text_content()}\n```\n\n"
        return
    elif tag == "li":
        before = "\n- "
    elif tag == "a" and element.get("href"):
        before, after = "[", f"]({element.get('href')})"
    elif tag == "br":
        after = "\n"
    elif tag in _BLOCKS:
        before = after = "\n\n"
    yield before + _SPACES.sub(" ", element.text or "")
    for child in element:
        yield from _render(child)
        yield _SPACES.sub(" ", child.tail or "")
    yield after


def _table(table: Any) -> Iterator[str]:
    for number, row in enumerate(table.iter("tr")):
        cells = [_words(cell).replace("|", "/") for cell in row.iter("td", "th")]
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield "|" + "---|" * len(cells)


def _tidy(markdown: str) -> str:
    markdown = "\n".join(line.strip(" \t") for line in markdown.split("\n"))
    markdown = re.sub(r"^- \n+", "- ", markdown, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", markdown).strip()
