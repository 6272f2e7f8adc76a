"""A searchable, immutable snapshot of what a bot knows: entries, vectors and words, saved under a content hash."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.base import Embedder, OnProgress, Vectors, no_progress, to_unit
from knowledge.entries import Entry
from knowledge.errors import IndexMissing, IndexUnavailable, ModelUnavailable
from knowledge.index.base import UnreachedIndex, VectorIndex, VectorIndexes
from knowledge.index.classifier import Classifier
from knowledge.index.dense import FaissIndex, FaissIndexes
from knowledge.index.lexical import LexicalIndex
from knowledge.text import normalise, simplify

FORMAT = 2
_DAMAGE = (IndexUnavailable, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError)
"""What reading half a file, or another program's, may raise."""

EMBED_TEXTS = 256
"""Texts embedded between two reports of progress."""

RowKind = Literal["question", "answer"]


@dataclass(frozen=True)
class Located:
    """An entry together with the knowledge base it stands in."""

    knowledge_base: str
    entry: Entry


@dataclass(frozen=True)
class IndexRow:
    """What one vector stands for."""

    entry: int
    kind: RowKind
    text: str

    @property
    def text_hash(self) -> str:
        """The key under which its vector is reused."""
        return hashlib.sha256(f"{self.kind}\x00{self.text}".encode()).hexdigest()[:32]


@dataclass
class Snapshot:
    """Everything a search needs. `vectors` are the embedder's own, before centring, to be reused by the next one.

    All of it stays as it is but `dense`, which may be away for a while; see `attach`.
    """

    entries: list[Located]
    rows: list[IndexRow]
    vectors: Vectors
    fingerprint: str
    dense: VectorIndex
    center: Vectors
    classifier: Classifier
    name: str = ""
    lexical: LexicalIndex = field(init=False)
    entry_of_row: NDArray[np.int64] = field(init=False)
    is_question: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        """Derive what is not saved."""
        self.lexical = LexicalIndex([located.entry.text for located in self.entries])
        self.entry_of_row = np.array([row.entry for row in self.rows], dtype=np.int64)
        self.is_question = np.array([row.kind == "question" for row in self.rows], dtype=np.bool_)

    @classmethod
    def build(cls, entries: list[Located], rows: list[IndexRow], vectors: Vectors, fingerprint: str) -> Snapshot:
        """Index rows whose vectors are known, in memory."""
        center = vectors.mean(axis=0)
        placed = centred(vectors, center)
        classifier = _train(placed, rows, len(entries))
        return cls(entries, rows, vectors, fingerprint, FaissIndex.build(placed), center, classifier)

    def attach(self, indexes: VectorIndexes, on_progress: OnProgress = no_progress) -> None:
        """Open the index of these rows, or build it; doing so now and again says that it is in use.

        Raises:
            IndexUnavailable: neither is possible now; what was there stays.
        """
        try:
            self.dense = indexes.open(self.name, self.vectors.shape)
        except IndexMissing:
            self.dense = indexes.build(self.name, centred(self.vectors, self.center), on_progress)

    def without_variants(self, left_out: Collection[IndexRow]) -> Snapshot:
        """Return a snapshot that lacks some variants, so that these can be asked; it is not saved."""
        gone = {(row.entry, row.text) for row in left_out}
        entries = [
            replace(
                located,
                entry=replace(
                    located.entry,
                    variants=tuple(
                        variant for variant in located.entry.variants if (number, normalise(variant)) not in gone
                    ),
                ),
            )
            for number, located in enumerate(self.entries)
        ]
        kept = [number for number, row in enumerate(self.rows) if (row.entry, row.text) not in gone]
        return Snapshot.build(entries, [self.rows[number] for number in kept], self.vectors[kept], self.fingerprint)


def snapshot_key(fingerprint: str, entries: Sequence[Located]) -> str:
    """Return the name under which a snapshot of these entries is saved."""
    digest = hashlib.sha256(f"{FORMAT}\x00{fingerprint}".encode())
    for located in entries:
        digest.update(located.knowledge_base.encode() + b"\x00")
        digest.update(json.dumps(located.entry.to_dict(), ensure_ascii=False, sort_keys=True).encode())
    return digest.hexdigest()[:32]


def open_snapshot(
    folder: Path,
    entries: list[Located],
    embedder: Embedder,
    on_progress: OnProgress = no_progress,
    indexes: VectorIndexes | None = None,
) -> Snapshot:
    """Load the snapshot of these entries from `folder`, or build and save it; its index is kept there too by default.

    Only texts that no saved snapshot of the same embedder holds are embedded. An index that cannot be reached is left
    out, so that words are searched, until `attach` succeeds.

    Raises:
        IndexUnavailable: there are no entries.
        ModelUnavailable: texts have to be embedded and the embedder cannot.
    """
    if not entries:
        raise IndexUnavailable("nothing has been published; run: frontdesk faq import FILE")
    home = folder / snapshot_key(embedder.fingerprint, entries)
    rows = _rows(entries)
    try:
        vectors, classifier = _load(home, entries, rows, mapped=indexes is not None)
    except _DAMAGE:
        made = _embed(rows, embedder, _known_vectors(folder, embedder.fingerprint), on_progress)
        _save(home, rows, made, _train(centred(made, made.mean(axis=0)), rows, len(entries)), embedder.fingerprint)
        del made
        vectors, classifier = _load(home, entries, rows, mapped=indexes is not None)
    center = vectors.mean(axis=0)
    unreached = UnreachedIndex("it was never reached")
    snapshot = Snapshot(entries, rows, vectors, embedder.fingerprint, unreached, center, classifier, home.name)
    try:
        snapshot.attach(indexes or FaissIndexes(folder), on_progress)
    except IndexUnavailable as error:
        snapshot.dense = UnreachedIndex(str(error))
    return snapshot


def centred(vectors: Vectors, center: Vectors) -> Vectors:
    """Move vectors to the middle of what is indexed: small models crowd theirs into one direction."""
    return to_unit(vectors - center)


def remove_old_snapshots(folder: Path, keep: int) -> None:
    """Delete all but the newest snapshots."""
    homes = sorted(folder.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for manifest in homes[keep:]:
        shutil.rmtree(manifest.parent, ignore_errors=True)


def _rows(entries: list[Located]) -> list[IndexRow]:
    rows = []
    for number, located in enumerate(entries):
        entry = located.entry
        rows += [IndexRow(number, "question", normalise(question)) for question in entry.questions]
        rows.append(IndexRow(number, "answer", simplify(f"{entry.question}\n{entry.answer}")))
    return rows


def _embed(rows: list[IndexRow], embedder: Embedder, known: dict[str, Vectors], on_progress: OnProgress) -> Vectors:
    """Return a vector for each row, written into one array as they come: a large FAQ's are not to be held twice."""
    vectors = np.empty((len(rows), 0), dtype=np.float32)
    for numbers, made in _parts(rows, embedder, known, on_progress):
        if not vectors.size:
            vectors = np.empty((len(rows), made.shape[1]), dtype=np.float32)
        vectors[numbers] = made
    return vectors


def _parts(
    rows: list[IndexRow], embedder: Embedder, known: dict[str, Vectors], on_progress: OnProgress
) -> Iterator[tuple[list[int], Vectors]]:
    """Yield rows' numbers with their vectors: those that are known, then what is embedded."""
    missing = []
    for number, row in enumerate(rows):
        vector = known.get(row.text_hash)
        if vector is None:
            missing.append(number)
        else:
            yield [number], vector[None, :]
    for done in range(0, len(missing), EMBED_TEXTS):
        for kind, embed in (("question", embedder.embed_queries), ("answer", embedder.embed_passages)):
            numbers = [number for number in missing[done : done + EMBED_TEXTS] if rows[number].kind == kind]
            if not numbers:
                continue
            made = embed([rows[number].text for number in numbers])
            if len(made) != len(numbers):  # one alone would be taken for all of them
                raise ModelUnavailable(f"{embedder.name} gave {len(made)} vectors for {len(numbers)} texts")
            yield numbers, made
        on_progress(min(done + EMBED_TEXTS, len(missing)), len(missing))


def _known_vectors(folder: Path, fingerprint: str) -> dict[str, Vectors]:
    known: dict[str, Vectors] = {}
    for manifest_path in folder.glob("*/manifest.json"):
        try:
            manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
            if manifest["format"] == FORMAT and manifest["fingerprint"] == fingerprint:
                vectors = np.load(manifest_path.parent / "vectors.npy")
                known.update(zip(manifest["rows"], vectors, strict=True))
        except _DAMAGE:
            continue  # damaged, or of another version: its texts are embedded again
    return known


def _train(placed: Vectors, rows: list[IndexRow], entries: int) -> Classifier:
    return Classifier.train(placed, np.array([row.entry for row in rows], dtype=np.int64), entries)


def _save(home: Path, rows: list[IndexRow], vectors: Vectors, classifier: Classifier, fingerprint: str) -> None:
    partial = home.with_name(home.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    np.save(partial / "vectors.npy", vectors)
    classifier.save(partial / "classifier.npy")
    manifest = {"format": FORMAT, "fingerprint": fingerprint, "rows": [row.text_hash for row in rows]}
    (partial / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    shutil.rmtree(home, ignore_errors=True)
    partial.replace(home)


def _load(home: Path, entries: list[Located], rows: list[IndexRow], *, mapped: bool) -> tuple[Vectors, Classifier]:
    """Read vectors and classifier; `mapped`, the vectors stay on the disk: searching elsewhere needs none here."""
    manifest = json.loads((home / "manifest.json").read_text(encoding="utf-8"))
    if manifest["rows"] != [row.text_hash for row in rows]:
        raise IndexUnavailable(f"{home} does not hold these entries")
    vectors = np.load(home / "vectors.npy", mmap_mode="r" if mapped else None)
    if len(vectors) != len(rows):
        raise IndexUnavailable(f"{home} is damaged")
    classifier = Classifier.load(home / "classifier.npy")
    if classifier.weights.shape[1] != len(entries):
        raise IndexUnavailable(f"{home} is damaged")
    return vectors, classifier
