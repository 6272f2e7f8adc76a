"""Is a generated answer borne out by the entries it rests on? Checked before the customer sees it.

A model of half a billion parameters copies well and reasons badly: left alone it turns "the name is hidden" into
"the name cannot be hidden", and lets the wrong party pay. So each clause that it says must be one of the entries' own,
nearly word for word, with the same negations, and no number, bound or party that this one has not. Nor may it put the
customer's words in the place of the entry's: asked of shipping abroad, it says of that what stands there of cash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import rjieba

from knowledge.text import normalise

MIN_OVERLAP = 0.7
"""Share of an answer's word pairs (Chinese: character pairs) that must stand in the evidence."""

MIN_CLAUSE_OVERLAP = 0.5
"""The same of each clause and the one that it was made of."""

MIN_CHARACTERS = 8
"""A shorter answer, such as a bare "no", says too little to be checked."""

SMALL_TALK = 4
"""A clause of so few characters or words without a fact, such as 您好, may be the model's own."""

ORDER_NUMBER = 6
"""So many digits are a name rather than an amount."""

_FACT = re.compile(r"https?://[^\s，。；）)]+|[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]+|\d+(?:[.,:/-]\d+)*%?")
_CHINESE_NUMBER = re.compile(r"[一二两三四五六七八九十百千万]{1,16}(?=[个天日小时分钟元块折年月周次件倍%])")
_NUMBERING = re.compile(r"\[\d\]|^[^\S\n]*\d{1,2}[.、)]\s*(?!\d)", re.MULTILINE)
_NEGATION = re.compile(
    r"不(?!仅|但|过|管|论|如)|没有?|无(?!论)|未|别(?=[再去让给急怕])|勿|禁止|免(?!税店)|拒绝|除外|以外|"
    r"\b(?:not|no|never|cannot|without|free|except|unless|neither|nor|none|\w+n't)\b",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"以上|以下|以内|之内|以前|之前|以后|之后|超过|不足|未满|至少|最少|最多|至多|只|仅|全部|"
    r"\b(?:at least|at most|more than|less than|up to|within|before|after|until|over|under|only|all)\b",
    re.IGNORECASE,
)
_PARTIES = (
    re.compile(r"买家|客户|顾客|用户|消费者|个人|您|你|\b(?:you|your|customers?|buyers?|users?)\b", re.IGNORECASE),
    re.compile(
        r"卖家|商家|店铺|本店|我们|我方|公司|平台|\b(?:we|us|our|sellers?|merchants?|shop|store|bank|company)\b",
        re.IGNORECASE,
    ),
    re.compile(r"物流|快递|承运|\b(?:couriers?|carriers?)\b", re.IGNORECASE),
    re.compile(r"被保险人|\binsured\b", re.IGNORECASE),
    re.compile(r"投保人|\bpolicyholders?\b", re.IGNORECASE),
    re.compile(r"受益人|\bbeneficiar(?:y|ies)\b", re.IGNORECASE),
    re.compile(r"厂家|厂商|生产商|\bmanufacturers?\b", re.IGNORECASE),
)
"""Words for one party each; a clause that names none is about whoever is asked."""

_SENTENCE_ENDS = ("\n", "。", "；", ";", "！", "!", "？", "?", ".")
_WORD = re.compile(r"[\u3400-\u9fff]{2,}|[a-z]{4,}")
"""What can be a word for a thing."""

_UNIT = re.compile(r"[\u3400-\u9fff]|[a-z0-9]+")
_CLAUSE_END = re.compile(r"\n|[。；！？](?=[\s\S])|[，：](?=\D)|[,.;!?:](?=[\s\u3400-\u9fff])")
"""A mark is an end once it cannot be inside a word any more: 49.5, 9：30 and https://a.example are one."""


def facts(text: str) -> set[str]:
    """Return the numbers, dates, amounts, addresses and links of `text`, in one spelling."""
    text = normalise(_NUMBERING.sub(" ", text))  # the numbering of lines is gone once they are folded into one
    found = {match.rstrip(".,:/-").replace(",", "") for match in _FACT.findall(text)}
    return {fact for fact in found if fact} | set(_CHINESE_NUMBER.findall(text))


def foreign_words(question: str, entries: Iterable[str]) -> frozenset[str]:
    """Return the words of a question that are in none of the entries, whole texts: an answer must not have them."""
    known = normalise("\n".join(entries))
    return frozenset(
        word
        for word in rjieba.cut(normalise(question))
        if _WORD.fullmatch(word) and word.removesuffix("s") not in known
    )


@dataclass(frozen=True)
class _Clause:
    """A clause, and what it must have in common with another to say the same."""

    text: str

    @cached_property
    def units(self) -> list[str]:
        return _UNIT.findall(normalise(_NUMBERING.sub(" ", self.text)))

    @cached_property
    def pairs(self) -> set[tuple[str, str]]:
        return set(pairwise(self.units))

    @cached_property
    def facts(self) -> set[str]:
        return facts(self.text)

    @cached_property
    def negations(self) -> int:
        return len(_NEGATION.findall(self.text))

    @cached_property
    def bounds(self) -> set[str]:
        return set(_BOUND.findall(normalise(self.text)))

    @cached_property
    def parties(self) -> set[int]:
        return {number for number, words in enumerate(_PARTIES) if words.search(self.text)}

    @property
    def is_label(self) -> bool:
        """Whether what follows in its sentence is said of it, as in "beds of 1.2 m: covers of 150×200"."""
        return self.text.rstrip().endswith(("：", ":"))

    @property
    def ends_sentence(self) -> bool:
        return self.text.rstrip(" ").endswith(_SENTENCE_ENDS)

    @property
    def is_small_talk(self) -> bool:
        says_something = self.facts or self.negations or self.bounds
        return len(self.units) <= SMALL_TALK and not says_something

    def overlap(self, other: _Clause) -> float:
        """Return the share of this clause's pairs that the other one has."""
        return len(self.pairs & other.pairs) / len(self.pairs) if self.pairs else float(self.units == other.units)

    def is_said_by(self, other: _Clause) -> bool:
        """Say whether the other one says this too."""
        return (
            self.overlap(other) >= MIN_CLAUSE_OVERLAP
            and self.facts <= other.facts
            and self.negations == other.negations
            and self.bounds <= other.bounds
            and (self.parties <= other.parties if other.parties else len(self.parties) <= 1)
        )


class GroundingCheck:
    """Holds an answer to its evidence."""

    def __init__(self, evidence: Iterable[str], foreign: Iterable[str] = ()) -> None:
        """Note what may be said; a customer's own words prove nothing, as in "so postage is 0 yuan, right?".

        The `foreign_words` of the question may not be said at all.
        """
        self._foreign = frozenset(foreign)
        self._clauses = [clause for text in evidence for clause in _clauses(text)]
        self._pairs = set().union(*(clause.pairs for clause in self._clauses))

    def allows(self, text: str) -> bool:
        """Say whether every clause of a text is one of the evidence's, under the conditions that it has there."""
        if self._foreign and self._has_foreign_words(normalise(text)):
            return False
        place, labelled = -1, range(0)
        for clause in _clauses(text):
            if not clause.is_small_talk:
                found = self._find_in(labelled, clause) if labelled else self._find(clause, place)
                if found is None:
                    return False
                place = found
                if clause.is_label:
                    labelled = self._sentence_from(place)
            if clause.ends_sentence:
                labelled = range(0)
        return True

    def is_grounded(self, answer: str) -> bool:
        """Say whether a whole answer keeps to the evidence."""
        pairs = set().union(*(clause.pairs for clause in _clauses(answer)))
        if len(normalise(answer)) < MIN_CHARACTERS or not self.allows(answer):
            return False
        return len(pairs & self._pairs) >= MIN_OVERLAP * len(pairs)

    def _has_foreign_words(self, text: str) -> bool:
        words = set(_UNIT.findall(text))
        return any(word in (words if word.isascii() else text) for word in self._foreign)

    def _sentence_from(self, place: int) -> range:
        """Return the places from this one to the end of its sentence."""
        end = place
        while end < len(self._clauses) - 1 and not self._clauses[end].ends_sentence:
            end += 1
        return range(place, end + 1)

    def _find_in(self, places: range, clause: _Clause) -> int | None:
        return next((place for place in places if clause.is_said_by(self._clauses[place])), None)

    def _find(self, clause: _Clause, after: int) -> int | None:
        """Return the place of what says a clause that comes after another; None if nothing does.

        Nor if there is something like it on the way that says otherwise: then the clause belongs to another condition,
        as in "for reasons of your own, the buyer pays; for faults, the seller pays".
        """
        saying = [place for place, said in enumerate(self._clauses) if clause.is_said_by(said)]
        if not saying:
            return None
        best = max(saying, key=lambda place: (clause.overlap(self._clauses[place]), place > after, -place))
        passed = self._clauses[after + 1 : best] if best > after else self._clauses[:best]
        for other in passed:
            if clause.overlap(other) >= MIN_CLAUSE_OVERLAP and not clause.is_said_by(other):
                return None
        return best


def keeps_to_facts(answer: str, evidence: Iterable[str], question: str) -> bool:
    """Say whether an answer in free words names no number, date, amount, address or link of its own.

    Of the question it may repeat what can only be a number of an order or the like: "30 days?" bears out no 30 days.
    """
    numbers = {fact for fact in facts(question) if fact.isdigit() and len(fact) >= ORDER_NUMBER}
    return facts(answer) <= numbers.union(*map(facts, evidence))


def split_clauses(text: str) -> tuple[str, str]:
    """Split streamed text into the clauses that are complete and the rest that is still growing."""
    end = 0
    for match in _CLAUSE_END.finditer(text):
        end = match.end()
    return text[:end], text[end:]


def _clauses(text: str) -> Iterator[_Clause]:
    """Yield the clauses of a text that hold a word."""
    start = 0
    for end in [*(match.end() for match in _CLAUSE_END.finditer(text)), len(text)]:
        clause = _Clause(text[start:end])
        if clause.units:
            yield clause
        start = end
