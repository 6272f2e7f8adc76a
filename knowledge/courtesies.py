"""What is asked, without the greetings, announcements and thanks around it.

An embedding model takes them for a part of the meaning: who writes "hello" and "many thanks" is found less often what
he asks for, and with less confidence. A clause of a question is left out if it is near one of the examples in
courtesies.txt, which are of our own writing.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

from knowledge.embedding.base import Embedder, Vectors
from knowledge.index.snapshot import Snapshot, centred
from knowledge.stages import stage
from knowledge.text import bare, normalise, tokenise

LIKENESS = 0.6
"""The cosine, centred, from which a clause is one of these; docs/quality.md has what it was chosen by."""

LONG = 60
"""Characters of a clause that has something to say; also one with a word of the knowledge base has."""

MOST = 4
"""Clauses that are embedded for one question, the first and the last: nobody can make it cost a hundred."""

_PAUSE = re.compile(  # but not within 64.20 or 9:30
    r"[^\w\s.,:'’$£€¥%+#&@/=°-]|(?<!\d)[.,:]|[.,:](?!\d)|(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])| [-–—] "
)


class Courtesies:
    """Tells what is said around a question from the question, by the vectors of examples."""

    def __init__(self, embedder: Embedder, snapshot: Snapshot, examples: Vectors) -> None:
        """Put the parts together; vectors are compared as seen from the center of those that are indexed."""
        self._embedder, self._center = embedder, snapshot.center
        self._examples = centred(examples, self._center)
        words = snapshot.lexical.words.difference(*map(tokenise, _examples()))
        self._telling = {word for word in words if len(word) > 1}

    def without(self, question: str) -> str:
        """Return a question without them; one that is nothing else, or has nothing of them, stays as it is."""
        clauses = [clause.strip() for clause in _PAUSE.split(normalise(question)) if bare(clause)]
        vague = [clause for clause in dict.fromkeys(clauses) if not self._tells(clause)]
        vague = vague if len(vague) <= MOST else [*vague[: MOST // 2], *vague[-MOST // 2 :]]
        if len(clauses) < 2 or not vague:
            return question
        likeness = (self._embed(vague) @ self._examples.T).max(axis=1)
        said = {clause for clause, like in zip(vague, likeness, strict=True) if like >= LIKENESS}
        asked = [clause for clause in clauses if clause not in said]
        return " ".join(asked) if said and len(bare("".join(asked))) > 1 else question

    def _tells(self, clause: str) -> bool:
        """Say whether a clause is surely a part of the question, so that it need not be embedded by itself."""
        return len(clause) > LONG or not self._telling.isdisjoint(tokenise(clause))

    def _embed(self, texts: list[str]) -> Vectors:
        with stage("embed"):
            own = self._embedder.embed_queries(texts)
        return centred(own, self._center)


@cache
def _examples() -> dict[str, None]:
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    return dict.fromkeys(normalise(line) for line in lines)


_vectors: WeakKeyDictionary[Embedder, Vectors] = WeakKeyDictionary()


def vectors_of_examples(embedder: Embedder) -> Vectors:
    """Return the vectors of the examples, which an embedder makes once, so that releases need not wait for them."""
    if embedder not in _vectors:
        _vectors[embedder] = embedder.embed_queries(list(_examples()))
    return _vectors[embedder]
