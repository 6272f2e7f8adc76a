"""Knowledge bases, their entries and their releases, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.database import Store, whole
from bot.store.tables import EntryRow, KnowledgeBaseRow, ReleaseEntryRow, ReleaseRow, VariantRow
from knowledge.entries import Entry, content_hash
from knowledge.errors import UnknownEntry

_PLAIN = ("key", "question", "answer", "language", "status", "valid_from", "valid_until", "action")


@dataclass(frozen=True)
class ImportCounts:
    """What an import changed."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Release:
    """A published version of a knowledge base."""

    id: int
    knowledge_base: str
    number: int
    content_hash: str
    created_at: datetime


class KnowledgeStore(Store):
    """Reads and writes what bots answer from."""

    @whole
    async def names(self) -> list[str]:
        """List the knowledge bases."""
        async with self.database.transaction() as session:
            return list(await session.scalars(select(KnowledgeBaseRow.name).order_by(KnowledgeBaseRow.name)))

    @whole
    async def entries(self, knowledge_base: str) -> list[Entry]:
        """List the entries of a knowledge base, as they are being edited; none if it does not exist."""
        async with self.database.transaction() as session:
            rows = await session.scalars(
                select(EntryRow)
                .join(KnowledgeBaseRow, KnowledgeBaseRow.id == EntryRow.knowledge_base_id)
                .where(KnowledgeBaseRow.name == knowledge_base)
                .order_by(EntryRow.id)
            )
            return [_to_entry(row) for row in rows]

    @whole
    async def entry(self, knowledge_base: str, key: str) -> Entry:
        """Return one entry; raises UnknownEntry."""
        for entry in await self.entries(knowledge_base):
            if entry.key == key:
                return entry
        raise UnknownEntry(f"the knowledge base {knowledge_base!r} has no entry {key!r}; see: frontdesk faq list")

    @whole
    async def upsert(self, knowledge_base: str, entries: Sequence[Entry]) -> ImportCounts:
        """Add or change entries by their key, in one transaction."""
        added = changed = 0
        async with self.database.transaction() as session:
            base = await _get_or_add_base(session, knowledge_base)
            rows = await session.scalars(select(EntryRow).where(EntryRow.knowledge_base_id == base.id))
            existing = {row.key: row for row in rows}
            for entry in entries:
                row = existing.get(entry.key)
                if row is None:
                    session.add(_fill(EntryRow(knowledge_base_id=base.id), entry))
                    added += 1
                elif _to_entry(row) != entry:
                    row.variants.clear()
                    await session.flush()
                    _fill(row, entry)
                    changed += 1
        return ImportCounts(added, changed, len(entries) - added - changed)

    @whole
    async def delete(self, knowledge_base: str, keys: Iterable[str]) -> int:
        """Delete entries by key, or raise UnknownEntry and delete none."""
        wanted = set(keys)
        async with self.database.transaction() as session:
            base = await _find_base(session, knowledge_base)
            rows = list(
                await session.scalars(
                    select(EntryRow).where(EntryRow.knowledge_base_id == base.id, EntryRow.key.in_(wanted))
                )
            )
            missing = wanted - {row.key for row in rows}
            if missing:
                raise UnknownEntry(f"the knowledge base {knowledge_base!r} has no entry {', '.join(sorted(missing))}")
            await session.execute(delete(EntryRow).where(EntryRow.id.in_([row.id for row in rows])))
            return len(rows)

    @whole
    async def publish(self, knowledge_base: str) -> Release:
        """Make what is being edited the current release; if nothing changed, the current one is returned."""
        entries = await self.entries(knowledge_base)
        digest = content_hash(entries)
        async with self.database.transaction() as session:
            base = await _find_base(session, knowledge_base)
            current = await session.get(ReleaseRow, base.current_release) if base.current_release else None
            if current is not None and current.content_hash == digest:
                return _to_release(current, base.name)
            number = await session.scalar(
                select(func.coalesce(func.max(ReleaseRow.number), 0)).where(ReleaseRow.knowledge_base_id == base.id)
            )
            release = ReleaseRow(knowledge_base_id=base.id, number=(number or 0) + 1, content_hash=digest)
            session.add(release)
            await session.flush()
            if entries:
                rows = [{"release_id": release.id, "entry": entry.to_dict()} for entry in entries]
                await session.execute(insert(ReleaseEntryRow), rows)
            base.current_release = release.id
            return _to_release(release, base.name)

    @whole
    async def current_releases(self, names: Sequence[str] = ()) -> list[Release]:
        """Return the current release of each named knowledge base that has one; without names, of all."""
        async with self.database.transaction() as session:
            query = (
                select(ReleaseRow, KnowledgeBaseRow.name)
                .join(KnowledgeBaseRow, KnowledgeBaseRow.current_release == ReleaseRow.id)
                .order_by(KnowledgeBaseRow.name)
            )
            if names:
                query = query.where(KnowledgeBaseRow.name.in_(names))
            return [_to_release(release, name) for release, name in await session.execute(query)]

    @whole
    async def released_entries(self, release: Release) -> list[Entry]:
        """Return the entries of a release, exactly as they were published."""
        async with self.database.transaction() as session:
            rows = await session.scalars(
                select(ReleaseEntryRow.entry)
                .where(ReleaseEntryRow.release_id == release.id)
                .order_by(ReleaseEntryRow.id)
            )
            return [Entry.from_dict(row) for row in rows]


async def _find_base(session: AsyncSession, name: str) -> KnowledgeBaseRow:
    base = await session.scalar(select(KnowledgeBaseRow).where(KnowledgeBaseRow.name == name))
    if base is None:
        raise UnknownEntry(f"there is no knowledge base {name!r}; frontdesk faq import makes one")
    return base


async def _get_or_add_base(session: AsyncSession, name: str) -> KnowledgeBaseRow:
    try:
        return await _find_base(session, name)
    except UnknownEntry:
        base = KnowledgeBaseRow(name=name)
        session.add(base)
        await session.flush()
        return base


def _fill(row: EntryRow, entry: Entry) -> EntryRow:
    for name in _PLAIN:
        setattr(row, name, getattr(entry, name))
    row.tags = list(entry.tags)
    row.variants = [VariantRow(position=position, text=text) for position, text in enumerate(entry.variants)]
    return row


def _to_entry(row: EntryRow) -> Entry:
    values: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    return Entry(**values, tags=tuple(row.tags), variants=tuple(variant.text for variant in row.variants))


def _to_release(row: ReleaseRow, knowledge_base: str) -> Release:
    return Release(row.id, knowledge_base, row.number, row.content_hash, row.created_at)
