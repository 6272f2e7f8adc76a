"""What is done to text before it is compared: normalising, tokenising, telling Chinese from English."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Literal

import opencc
import rjieba

Language = Literal["zh", "en"]

_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ud800-\udfff]"
)
_SPACES = re.compile(r"\s+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[a-z0-9]+(?:['’][a-z]+)?", re.IGNORECASE)
_NOT_WORD = re.compile(r"[^\w]+|_+")

STOP_WORDS = frozenset(
    [
        "的",
        "了",
        "吗",
        "呢",
        "吧",
        "啊",
        "呀",
        "哦",
        "嘛",
        "我",
        "你",
        "您",
        "们",
        "我们",
        "你们",
        "是",
        "在",
        "和",
        "与",
        "也",
        "都",
        "就",
        "还",
        "有",
        "个",
        "这",
        "那",
        "a",
        "an",
        "the",
        "is",
        "are",
        "was",
        "be",
        "to",
        "of",
        "for",
        "in",
        "on",
        "at",
        "and",
        "or",
        "i",
        "my",
        "me",
        "you",
        "your",
        "it",
        "this",
        "that",
        "do",
        "does",
        "did",
        "can",
        "could",
        "would",
        "please",
        "how",
        "what",
        "when",
        "where",
        "why",
        "which",
        "with",
        "from",
        "by",
        "as",
        "if",
    ]
)


def clean(text: str) -> str:
    """Remove what cannot be seen (control and zero-width characters) and fold white space, keeping the case."""
    return _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip()


def normalise(text: str) -> str:
    """Return `text` as it is compared: cleaned, full-width forms folded, in lower case and simplified characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return simplify(clean(unicodedata.normalize("NFKC", folded)))


def simplify(text: str) -> str:
    """Return Chinese in simplified characters; what was in traditional ones, in the mainland's words for things too."""
    if not is_han(text) or _converter("t2s").convert(text) == text:
        return text
    simplified: str = _converter("tw2sp").convert(text)
    return simplified


def is_han(text: str) -> bool:
    """Say whether there is a Chinese character in a text."""
    return bool(_HAN.search(text))


@cache
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)


def bare(text: str) -> str:
    """Return only the letters and digits of `text`, so that punctuation and spaces do not tell two questions apart."""
    return _NOT_WORD.sub("", normalise(text))


def detect_language(text: str) -> Language:
    """Tell Chinese from English: one Han character in eight is enough, as Chinese questions quote product names."""
    letters = sum(character.isalpha() for character in text)
    return "zh" if letters and len(_HAN.findall(text)) * 8 >= letters else "en"


def names_language(text: str) -> bool:
    """Say whether a text has a word to tell its language by; numbers have none, not even those with letters in them."""
    words = re.findall(r"[\w-]+", text)
    return any(
        not any(character.isdigit() for character in word) and (len(word) > 1 or not word.isascii()) for word in words
    )


@lru_cache(maxsize=50_000)
def _segment(han: str) -> tuple[str, ...]:
    return tuple(rjieba.cut_for_search(han))


def tokenise(text: str) -> list[str]:
    """Split `text` into search tokens: jieba's words and single characters for Chinese, stems for English."""
    tokens: list[str] = []
    for word in _WORD.findall(normalise(text)):
        if _HAN.match(word):
            tokens.extend(_segment(word) if len(word) <= 64 else rjieba.cut_for_search(word))
            tokens.extend(word)
        else:
            tokens.append(word)
    return [stem(token) for token in tokens if token not in STOP_WORDS]


def stem(word: str) -> str:
    """Cut the commonest English endings; crude on purpose, since both sides are cut alike."""
    word = word.split("'", maxsplit=1)[0].split("’", maxsplit=1)[0]
    for ending in ("ings", "ing", "ied", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
