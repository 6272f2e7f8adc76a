"""The published versions of knowledge bases, in SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, insert, select

from bot.errors import NotFound
from bot.store.database import Store, whole
from bot.store.entries import find_base, read_entries
from bot.store.news import announce
from bot.store.outage import repeated
from bot.store.tables import EntryChangeRow, EntryRow, KnowledgeBaseRow, ReleaseEntryRow, ReleaseRow
from knowledge.entries import Entry, content_hash


@dataclass(frozen=True)
class Release:
    """A published version of a knowledge base."""

    id: int
    knowledge_base: str
    number: int
    content_hash: str
    created_at: datetime
    created_by: str | None
    note: str | None


@dataclass(frozen=True)
class ListedRelease:
    """A release as one of many; customers are answered from the `current` one."""

    release: Release
    entries: int
    current: bool


@dataclass(frozen=True)
class BaseOverview:
    """A knowledge base at a glance; `changed` since what customers are answered from was published."""

    name: str
    entries: int
    changed: bool
    release: Release | None


class ReleaseStore(Store):
    """Publishes what is being edited, and goes back."""

    @whole
    async def publish(self, knowledge_base: str, *, created_by: str | None = None, note: str | None = None) -> Release:
        """Make what is being edited the current release; if nothing changed, the current one is returned."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base, alone=True)
            entries = await read_entries(session, base.id)
            digest = await asyncio.to_thread(content_hash, entries)
            current = await session.get(ReleaseRow, base.current_release) if base.current_release else None
            if current is not None and current.content_hash == digest:
                return _to_release(current, base.name)
            newest = select(func.max(ReleaseRow.number)).where(ReleaseRow.knowledge_base_id == base.id)
            release = ReleaseRow(
                knowledge_base_id=base.id,
                number=(await session.scalar(newest) or 0) + 1,
                content_hash=digest,
                created_by=created_by,
                note=note,
            )
            session.add(release)
            await session.flush()
            if entries:
                values = [{"release_id": release.id, "entry": entry.to_dict()} for entry in entries]
                await session.execute(insert(ReleaseEntryRow), values)
            base.current_release = release.id
            announce(session, "release", base.name)
            return _to_release(release, base.name)

    @whole
    async def restore(self, knowledge_base: str, number: int) -> Release:
        """Answer customers from an earlier release again; what is being edited stays. Raises NotFound."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base, alone=True)
            release = await session.scalar(
                select(ReleaseRow).where(ReleaseRow.knowledge_base_id == base.id, ReleaseRow.number == number)
            )
            if release is None:
                raise NotFound(f"the knowledge base {knowledge_base!r} has no release {number}")
            base.current_release = release.id
            announce(session, "release", base.name)
            return _to_release(release, base.name)

    @whole
    @repeated
    async def releases(self, knowledge_base: str) -> list[ListedRelease]:
        """List the releases of a knowledge base, newest first; raises UnknownEntry without such a base."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            size = (
                select(func.count())
                .select_from(ReleaseEntryRow)
                .where(ReleaseEntryRow.release_id == ReleaseRow.id)
                .scalar_subquery()
            )
            rows = await session.execute(
                select(ReleaseRow, size)
                .where(ReleaseRow.knowledge_base_id == base.id)
                .order_by(ReleaseRow.number.desc())
            )
            return [
                ListedRelease(_to_release(row, base.name), count, row.id == base.current_release) for row, count in rows
            ]

    @whole
    @repeated
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
    @repeated
    async def released_entries(self, release: Release) -> list[Entry]:
        """Return the entries of a release, exactly as they were published."""
        async with self.database.transaction() as session:
            rows = await session.scalars(
                select(ReleaseEntryRow.entry)
                .where(ReleaseEntryRow.release_id == release.id)
                .order_by(ReleaseEntryRow.id)
            )
            return [Entry.from_dict(row) for row in rows]

    @whole
    @repeated
    async def overview(self) -> list[BaseOverview]:
        """Return all knowledge bases at a glance."""
        size = (
            select(func.count())
            .select_from(EntryRow)
            .where(EntryRow.knowledge_base_id == KnowledgeBaseRow.id)
            .scalar_subquery()
        )
        changed = exists().where(
            EntryChangeRow.knowledge_base_id == KnowledgeBaseRow.id, EntryChangeRow.created_at > ReleaseRow.created_at
        )
        query: Any = (
            select(KnowledgeBaseRow.name, size, changed, ReleaseRow)
            .outerjoin(ReleaseRow, KnowledgeBaseRow.current_release == ReleaseRow.id)
            .order_by(KnowledgeBaseRow.name)
        )
        async with self.database.transaction() as session:
            return [
                BaseOverview(name, count, was_changed if row else bool(count), _to_release(row, name) if row else None)
                for name, count, was_changed, row in await session.execute(query)
            ]


def _to_release(row: ReleaseRow, knowledge_base: str) -> Release:
    return Release(row.id, knowledge_base, row.number, row.content_hash, row.created_at, row.created_by, row.note)
