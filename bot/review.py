"""Questions that went wrong, together with those that mean the same, until somebody has dealt with them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np
import structlog

from bot.days import beginning_of, day_of, days_between, today
from bot.guards import mentions
from bot.published import PublishedKnowledge
from bot.store.review import KINDS, Kind, Miss, ReviewAction, ReviewStore
from knowledge.clustering import cluster
from knowledge.embedding.base import Vectors
from knowledge.entries import Entry
from knowledge.errors import IndexUnavailable, ModelError
from knowledge.index.snapshot import centred
from knowledge.search import Evidence, Query, Searcher
from knowledge.text import bare, clean, normalise

log = structlog.get_logger()

SIMILARITY = 0.45
"""Mean cosine from which questions count as one matter. Of the pairs so joined among the questions and variants of
shop-zh 40 % belong to one entry, of bank-en 38 % (of all pairs: 1 %); a lower one joins more, mostly what is unlike."""

MAX_QUESTIONS = 2_000
MAX_VECTORS = 2 * MAX_QUESTIONS
MAX_CLUSTERS = 200
MAX_SHOWN = 10
MAX_NEAREST = 50
EMBED_TEXTS = 64
EMBED_SECONDS = 5.0
"""How long somebody waits for questions that are new to this process; two thousand take 10 s of two idle cores."""


@dataclass(frozen=True)
class Nearest:
    """The published entry that comes nearest to answering a question."""

    knowledge_base: str
    key: str
    question: str
    confidence: float


@dataclass(frozen=True)
class Cluster:
    """Questions about one matter, the one in the middle first; the trend is a count a day, oldest first.

    The agent's answer is what a person last wrote to somebody who asked one of them.
    """

    id: str
    question: str
    count: int
    kinds: dict[Kind, int]
    questions: list[str]
    last_at: datetime
    trend: list[int]
    nearest: Nearest | None = None
    agent_answer: str | None = None


@dataclass(frozen=True)
class Listing:
    """The largest clusters, of `total`; `ungrouped` questions stand alone, since there was no time to compare them."""

    total: int
    clusters: list[Cluster]
    ungrouped: int


@dataclass
class _Asked:
    """A question as often as it was asked, in its newest wording."""

    text: str
    bare: str
    last_at: datetime
    agent_answer: str | None = None
    kinds: Counter[Kind] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)


class Review:
    """Shows what went wrong; keeps in memory what is slow to find out again."""

    def __init__(self, store: ReviewStore, knowledge: PublishedKnowledge) -> None:
        """Begin with an empty memory."""
        self._store, self._knowledge = store, knowledge
        self._embedding = asyncio.Lock()
        self._vectors: dict[str, Vectors] = {}
        self._unshown: dict[frozenset[str], set[str]] = {}
        self._nearest: dict[str, Nearest | None] = {}
        self._searched: tuple[Searcher | None, date] | None = None

    async def listing(self, days: int, kind: Kind | None = None, *, sensitive: Sequence[str] = ()) -> Listing:
        """List what went wrong in the last days, the commonest matters first.

        Questions with `sensitive` words are refused on purpose, so they are left out.
        """
        calendar = days_between(today() - timedelta(days=days - 1), today())
        since = beginning_of(calendar[0])
        misses, reviewed = await self._store.misses(since, kind), await self._store.reviewed(since)
        async with self._embedding:
            listing = await asyncio.to_thread(lambda: self._list(_asked(misses, reviewed, sensitive), calendar))
        first, others = listing.clusters[:MAX_NEAREST], listing.clusters[MAX_NEAREST:]
        with_nearest = [replace(each, nearest=await self._find_nearest(each.question)) for each in first]
        return replace(listing, clusters=[*with_nearest, *others])

    async def resolve(self, questions: Collection[str], action: ReviewAction, actor: str) -> int:
        """Leave questions out until they are asked again; return how many.

        With all that is shown of a cluster, the rest of it is resolved too.
        """
        resolved = {bare(question) for question in questions} - {""}
        for shown, rest in self._unshown.items():
            if shown <= resolved:
                resolved |= rest
        await self._store.resolve(resolved, action, actor)
        return len(resolved)

    def _list(self, asked: Sequence[_Asked], calendar: Sequence[date]) -> Listing:
        self._embed([each for each in asked if each.bare not in self._vectors])
        known = [each for each in asked if each.bare in self._vectors]
        groups = [[each] for each in asked if each.bare not in self._vectors]
        ungrouped = len(groups)
        if known:
            groups += self._group(known)
        clusters = [self._to_cluster(group, calendar) for group in groups]
        clusters.sort(key=lambda each: (each.count, each.last_at), reverse=True)
        self._vectors = dict(list(self._vectors.items())[-MAX_VECTORS:])
        return Listing(len(clusters), clusters[:MAX_CLUSTERS], ungrouped)

    def _embed(self, missing: Sequence[_Asked]) -> None:
        """Embed as many questions as can be waited for; the rest have their turn when the page is opened again."""
        ends = time.monotonic() + EMBED_SECONDS
        for start in range(0, len(missing), EMBED_TEXTS):
            part = missing[start : start + EMBED_TEXTS]
            try:
                made = self._knowledge.embedder.embed_queries([normalise(each.text) for each in part])
            except ModelError as error:
                log.warning("questions are not grouped by their meaning", error=str(error))
                return
            self._vectors.update(zip((each.bare for each in part), made, strict=True))
            if time.monotonic() > ends:
                return

    def _group(self, asked: Sequence[_Asked]) -> list[list[_Asked]]:
        """Put together what means the same, in each group the one in the middle first."""
        searcher = self._knowledge.searcher
        vectors = np.array([self._vectors[each.bare] for each in asked], dtype=np.float32)
        vectors = centred(vectors, searcher.snapshot.center if searcher else vectors.mean(axis=0))
        groups = []
        for numbers in cluster(vectors, SIMILARITY):
            nearness = vectors[numbers] @ vectors[numbers].mean(axis=0)
            groups.append([asked[numbers[place]] for place in np.argsort(-nearness, kind="stable")])
        return groups

    def _to_cluster(self, group: Sequence[_Asked], calendar: Sequence[date]) -> Cluster:
        shown, rest = group[:MAX_SHOWN], group[MAX_SHOWN:]
        if rest:
            self._unshown[frozenset(each.bare for each in shown)] = {each.bare for each in rest}
            for forgotten in list(self._unshown)[:-MAX_CLUSTERS]:
                del self._unshown[forgotten]
        kinds = Counter(kind for each in group for kind in each.kinds.elements())
        days = Counter(day for each in group for day in each.days.elements())
        return Cluster(
            id=hashlib.sha256(group[0].bare.encode()).hexdigest()[:16],
            question=group[0].text,
            count=days.total(),
            kinds={kind: kinds[kind] for kind in KINDS},
            questions=[each.text for each in shown],
            last_at=max(each.last_at for each in group),
            trend=[days[day] for day in calendar],
            agent_answer=next((each.agent_answer for each in group if each.agent_answer), None),
        )

    async def _find_nearest(self, question: str) -> Nearest | None:
        searched = self._knowledge.searcher, today()
        if searched != self._searched:
            self._searched, self._nearest = searched, {}
        if question not in self._nearest:
            try:
                evidence = await self._knowledge.search(Query(question))
            except (IndexUnavailable, ModelError) as error:
                log.warning("no nearest entry", error=str(error))
                return None
            self._nearest[question] = _to_nearest(evidence)
        return self._nearest[question]


def _to_nearest(evidence: Evidence) -> Nearest | None:
    if evidence.best is None:
        return None
    entry = evidence.best.entry
    return Nearest(evidence.best.knowledge_base, entry.key, entry.question, evidence.confidence)


def with_variants(entry: Entry, questions: Sequence[str]) -> Entry:
    """Return an entry that also has these questions as variants, those that say something new."""
    known = {bare(question) for question in entry.questions}
    new: dict[str, str] = {}
    for question in questions:
        if bare(question) and bare(question) not in known:
            new.setdefault(bare(question), clean(question))
    return replace(entry, variants=(*entry.variants, *new.values()))


def _asked(misses: Sequence[Miss], reviewed: dict[str, datetime], sensitive: Sequence[str]) -> list[_Asked]:
    """Put together what was asked in the same words, newest first, without what was dealt with since."""
    asked: dict[str, _Asked] = {}
    for miss in misses:
        words = bare(miss.question)
        if not words or mentions(words, sensitive) or (words in reviewed and miss.at <= reviewed[words]):
            continue
        if words not in asked and len(asked) == MAX_QUESTIONS:
            continue
        each = asked.setdefault(words, _Asked(miss.question, words, miss.at))
        each.agent_answer = each.agent_answer or miss.agent_answer
        each.kinds.update(miss.kinds)
        each.days[day_of(miss.at)] += 1
    return list(asked.values())
