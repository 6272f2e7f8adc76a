"""Text as channels without Markdown show it, in pieces that they take."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import count, repeat

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot import messages
from bot.question import Answer

_ENDS = ("\n\n", "\n", "。", "！", "？", "!", "?", ". ", "；", ";", "，", ", ", " ")
"""Where a text is cut, best first."""

_JOINER = "\u200d"
_MARKDOWN = MarkdownIt("commonmark").enable("table")


def plain(markdown: str) -> str:
    """Return Markdown as it reads without it: links keep their addresses, lists their bullets and numbers."""
    tree = SyntaxTreeNode(_MARKDOWN.parse(markdown))
    return _block(tree).strip()


def split(text: str, max_bytes: int) -> list[str]:
    """Cut a text into pieces of up to so many UTF-8 bytes, where a sentence ends if one does.

    Pieces are never empty; joined, they are the text but for white space at the cuts.
    """
    return list(_pieces(text.strip(), max_bytes))


def in_words(answer: Answer) -> str:
    """Return an answer as plain text: what may be chosen with numbers to reply with, what it rests on at the end."""
    return with_choices(answer, plain(answer.text))


def with_choices(answer: Answer, text: str) -> str:
    """Return the text of an answer with what else belongs to it."""
    parts = [text]
    parts += [f"{number}. {each.question}" for number, each in enumerate(answer.suggestions, start=1)]
    if answer.suggestions:
        parts.append(messages.reply_with_number(answer.language))
    if answer.outcome in ("grounded", "escalated") and answer.citations:
        parts.append(messages.based_on(answer.language, [cited.question for cited in answer.citations]))
    return "\n".join(part for part in parts if part)


def _pieces(text: str, max_bytes: int) -> Iterator[str]:
    while len(text.encode()) > max_bytes:
        most = text.encode()[:max_bytes].decode(errors="ignore")
        piece = text[: _whole(text, _cut(most))].rstrip()
        yield piece
        text = text[len(piece) :].lstrip()
    if text:
        yield text


def _cut(most: str) -> int:
    """Return where to cut: behind the best ending that leaves at least half a piece."""
    for end in _ENDS:
        at = most.rfind(end)
        if at + len(end) > len(most) // 2:
            return at + len(end)
    return len(most)


def _whole(text: str, at: int) -> int:
    """Return the next place before a cut that tears no letter or emoji apart; the cut itself if there is none."""
    for place in range(at, 0, -1):
        if not _is_joined(text[place - 1 : place + 1]):
            return place
    return at


def _is_joined(pair: str) -> bool:
    """Say whether two characters are shown as one: an accent, a variant, a skin tone, or emoji of a family."""
    joins = unicodedata.category(pair[-1]).startswith("M") or "\U0001f3fb" <= pair[-1] <= "\U0001f3ff"
    return joins or _JOINER in pair


def _block(node: SyntaxTreeNode) -> str:
    if node.type == "inline":
        return "".join(_inline(child) for child in node.children)
    if node.type in ("fence", "code_block", "html_block"):
        return node.content.rstrip()
    if node.type == "hr":
        return "———"
    if node.type in ("bullet_list", "ordered_list"):
        return "\n".join(f"{mark} {_item(item)}" for mark, item in zip(_marks(node), node.children, strict=False))
    if node.type == "tr":
        return " | ".join(_block(cell) for cell in node.children)
    between = "\n" if node.type in ("table", "thead", "tbody") else "\n\n"
    return between.join(_block(child) for child in node.children)


def _marks(node: SyntaxTreeNode) -> Iterator[str]:
    if node.type == "bullet_list":
        return repeat("•")
    return (f"{number}." for number in count(int(node.attrs.get("start", 1))))


def _item(node: SyntaxTreeNode) -> str:
    """Return a list's item; what is below its first line is set in."""
    return "\n".join(_block(child) for child in node.children).replace("\n", "\n  ")


def _inline(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline" | "html_inline":
            return node.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return _link(node.content, str(node.attrs["src"]))
        case "link":
            return _link("".join(_inline(child) for child in node.children), str(node.attrs["href"]))
    return "".join(_inline(child) for child in node.children)


def _link(words: str, address: str) -> str:
    address = address.removeprefix("mailto:").removeprefix("tel:")
    if words in ("", address):
        return address
    return f"{words}（{address}）" if _is_chinese(words) else f"{words} ({address})"


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
