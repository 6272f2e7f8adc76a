"""What a customer meant to type: a slip of the keyboard, another character of the same sound, or pinyin.

Only what is no word, neither of the knowledge base nor of the language, is looked at, and only words of the knowledge
base are put in its place. A question without such words stays as it is, at no cost.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice, product

import rjieba
from symspellpy import SymSpell, Verbosity

from knowledge.calibration.questions import out_of_scope
from knowledge.text import STOP_WORDS, is_han, normalise, stem

MIN_LETTERS = 4
"""A shorter English word has too many neighbours."""

MIN_PINYIN = 5
"""Letters of pinyin: fewer may be anything."""

MAX_CHARACTERS = 4
"""Of a Chinese word."""

MAX_SOUNDS = 8
"""Of a word whose characters are read in several ways."""

MAX_READINGS = 2
"""Of a character; the others are rare."""

LONE_CHARACTER = 1.5
"""What a character by itself costs in reading pinyin, where a word costs 1: words are likelier."""

_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z]+(?:['’ ][a-z]+)*")
_LATIN = re.compile(r"[a-z]+(?:['’][a-z]+)?")
_NAME = re.compile(r"[A-Za-z]{0,40}[a-z][A-Z][A-Za-z]*|[A-Z]{2,5}s?\b")
"""Such as QDII, IVAs and iPhone."""

_ACCENT = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))
"""Sounds that much of China does not tell apart, nor do its input methods."""


class Spelling:
    """The words of a knowledge base, by their letters and by their sound."""

    def __init__(self, documents: Iterable[str]) -> None:
        """Note the words of some documents."""
        self._text = "\n".join(map(normalise, documents))
        latin = Counter(_LATIN.findall(self._text))
        self._stems = {stem(word) for word in latin} | STOP_WORDS
        self._latin = SymSpell(max_dictionary_edit_distance=1)
        for word, count in latin.items():
            self._latin.create_dictionary_entry(word, count)
        chinese = _cut(self._text)
        self._alone = _characters_that_stand_alone() | {word for word in chinese if len(word) == 1}
        self._by_sound: dict[tuple[str, ...], str] = {}
        self._by_pinyin: dict[str, tuple[float, str]] = {}
        for word, count in chinese.most_common():
            cost = (1.0 if len(word) > 1 else LONE_CHARACTER) - 0.01 * math.log(count)
            for sounds in _sounds(word):
                self._by_pinyin.setdefault("".join(sounds), (cost, word))
                if len(word) > 1:
                    self._by_sound.setdefault(tuple(map(_blurred, sounds)), word)

    def corrected(self, question: str) -> str | None:
        """Return a question with its misspelt words put right; None if it has none."""
        text, names = normalise(question), set(map(normalise, _NAME.findall(question)))
        better = _RUN.sub(lambda run: self._read(run[0], names), text)
        return better if better != text else None

    def _read(self, run: str, names: Collection[str]) -> str:
        if is_han(run[0]):
            return self._by_ear(run)
        read = self._from_pinyin(run)
        return read or _LATIN.sub(lambda word: word[0] if word[0] in names else self._respelt(word[0]), run)

    # English

    def _respelt(self, word: str) -> str:
        """Return the commonest word that is one slip away from one that is none."""
        if len(word) < MIN_LETTERS or self._is_english(word):
            return word
        near = self._latin.lookup(word, Verbosity.TOP, max_edit_distance=1)
        return near[0].term if near and near[0].term[0] == word[0] else word

    def _is_english(self, word: str) -> bool:
        return stem(word) in self._stems or f"\n{word} " in _dictionary()

    # Chinese

    def _by_ear(self, run: str) -> str:
        """Replace what is no word by words of the same sound, the longest first."""
        better, fixed = list(run), self._known(run)
        for size in range(MAX_CHARACTERS, 1, -1):
            for start in range(len(run) - size + 1):
                place = slice(start, start + size)
                if any(fixed[place]) or run[place] in self._text:
                    continue
                word = self._sounding_like(run[place])
                if word:
                    better[place], fixed[place] = word, [True] * size
        return "".join(better)

    def _known(self, run: str) -> list[bool]:
        """Say of each character whether it is part of a longer word."""
        return [len(word) > 1 for word in rjieba.cut(run, hmm=False) for _ in word]

    def _sounding_like(self, part: str) -> str | None:
        """Return a word that has some of a part's characters; not for two that may well stand side by side."""
        if len(part) == 2 and self._alone.issuperset(part):
            return None
        for sounds in _sounds(part):
            word = self._by_sound.get(tuple(map(_blurred, sounds)), "")
            if sum(mine == theirs for mine, theirs in zip(part, word, strict=False)) * 2 >= len(part):
                return word
        return None

    def _from_pinyin(self, run: str) -> str | None:
        """Return the words that letters spell in pinyin, None if they spell nothing."""
        if len(run) < MIN_PINYIN or not self._by_sound or all(map(self._is_english, run.split())):
            return None
        best: list[tuple[float, tuple[str, ...]] | None] = [(0.0, ())] + [None] * len(run)
        for end in range(1, len(run) + 1):
            if run[end - 1] == " ":
                best[end] = best[end - 1]
                continue
            ways = []
            for start in range(max(0, end - 7 * MAX_CHARACTERS), end):
                before, found = best[start], self._by_pinyin.get(run[start:end].replace(" ", ""))
                if before and found and not _cuts_a_word(run, start, end):
                    ways.append((before[0] + found[0], (*before[1], found[1])))
            best[end] = min(ways, default=None)
        words = best[-1][1] if best[-1] else ()
        in_words = sum(len(word) for word in words if len(word) > 1)
        return "".join(words) if words and in_words * 2 >= sum(map(len, words)) else None


def _cuts_a_word(run: str, start: int, end: int) -> bool:
    """Say whether a part goes beyond a space, and begins or ends amid letters that were typed as one."""
    inside = " " in run[start:end]
    return run[start] == " " or (
        inside and (run[start - 1 : start] not in ("", " ") or run[end : end + 1] not in ("", " "))
    )


def _cut(text: str) -> Counter[str]:
    words = (word for run in _HAN_RUN.findall(text) for word in rjieba.cut(run, hmm=False))
    return Counter(word for word in words if len(word) <= MAX_CHARACTERS)


@cache
def _characters_that_stand_alone() -> frozenset[str]:
    return frozenset(word for word in _cut("\n".join(out_of_scope("zh"))) if len(word) == 1)


@cache
def _dictionary() -> str:
    """Return the commonest 83,000 English words, one a line with its frequency."""
    return "\n" + (files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")


def _sounds(word: str) -> Iterator[Sequence[str]]:
    """Yield the ways to say a word, a syllable a character."""
    return islice(product(*map(_syllables, word)), MAX_SOUNDS)


@cache
def _syllables(character: str) -> tuple[str, ...]:
    # Without the phrases, whose words it would tell apart, pypinyin takes 14 MB instead of 60.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin import Style, pinyin  # noqa: PLC0415 - after these variables, and only for Chinese

    return tuple(pinyin(character, style=Style.NORMAL, heteronym=True)[0][:MAX_READINGS])


def _blurred(syllable: str) -> str:
    for clear, blurred in _ACCENT:
        syllable = syllable.replace(clear, blurred)
    return syllable
