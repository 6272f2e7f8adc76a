"""Knowledge bases and their entries as they are being edited, in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Function, cast, delete, func, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import EntryChanged, NameTaken
from bot.store.database import Store, whole
from bot.store.tables import EntryChangeRow, EntryRow, KnowledgeBaseRow, VariantRow, now
from knowledge.entries import Entry, content_hash
from knowledge.errors import UnknownEntry

COMMAND_LINE = "command line"
"""Who acts where nobody is logged in."""

BATCH = 200
"""So many entries are written at a time, all in one transaction."""

_PLAIN = ("key", "question", "answer", "language", "status", "valid_from", "valid_until", "action")


@dataclass(frozen=True)
class ImportCounts:
    """What an import changed."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class EntryPage:
    """Some of the entries that were looked for, newest change first, and how many there are of each kind in all."""

    total: int
    entries: list[tuple[Entry, datetime]]
    tags: list[tuple[str, int]]
    statuses: dict[str, int]


@dataclass(frozen=True)
class EntryChange:
    """What somebody made of an entry; nothing `before` it was added, nothing `after` it was deleted."""

    at: datetime
    actor: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def version_of(entry: Entry) -> str:
    """Return a text that differs whenever the entry does."""
    return content_hash([entry])[:16]


class EntryStore(Store):
    """Reads and writes entries, and keeps what they were before."""

    @whole
    async def names(self) -> list[str]:
        """List the knowledge bases."""
        async with self.database.transaction() as session:
            return list(await session.scalars(select(KnowledgeBaseRow.name).order_by(KnowledgeBaseRow.name)))

    @whole
    async def add_base(self, name: str) -> None:
        """Make an empty knowledge base; raises NameTaken."""
        async with self.database.transaction() as session:
            if await session.scalar(select(KnowledgeBaseRow.id).where(KnowledgeBaseRow.name == name)):
                raise NameTaken(f"there is a knowledge base {name!r} already")
            session.add(KnowledgeBaseRow(name=name))

    @whole
    async def entries(self, knowledge_base: str) -> list[Entry]:
        """List the entries of a knowledge base, as they are being edited; none if it does not exist."""
        async with self.database.transaction() as session:
            base_id = await session.scalar(select(KnowledgeBaseRow.id).where(KnowledgeBaseRow.name == knowledge_base))
            return await read_entries(session, base_id) if base_id is not None else []

    @whole
    async def entry(self, knowledge_base: str, key: str) -> Entry:
        """Return one entry; raises UnknownEntry."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            return to_entry((await _find_rows(session, base, [key]))[0])

    @whole
    async def page(
        self,
        knowledge_base: str,
        *,
        search: str = "",
        status: str | None = None,
        tag: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> EntryPage:
        """Return some of the entries that have all words of `search`; raises UnknownEntry without such a base."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            wanted = [_has(word) for word in search.split()]
            if status:
                wanted.append(EntryRow.status == status)
            if tag:
                wanted.append(_is_tagged(session, tag))
            of_base = EntryRow.knowledge_base_id == base.id
            found = select(EntryRow).where(of_base, *wanted)
            total = await session.scalar(
                select(func.count()).select_from(found.with_only_columns(EntryRow.id).subquery())
            )
            rows = await session.scalars(
                found.order_by(EntryRow.updated_at.desc(), EntryRow.id).offset(offset).limit(limit)
            )
            entries = [(to_entry(row), row.updated_at) for row in rows]
            each = _tags(session).table_valued("value")
            count = func.count()
            by_tag = select(each.c.value, count).select_from(EntryRow).join(each, true()).where(of_base)
            by_tag = by_tag.group_by(each.c.value).order_by(count.desc(), each.c.value)
            tags = [(tag, times) for tag, times in await session.execute(by_tag)]
            by_status = select(EntryRow.status, func.count()).where(of_base).group_by(EntryRow.status)
            statuses = dict((await session.execute(by_status)).all())
            return EntryPage(total or 0, entries, tags, statuses)

    @whole
    async def upsert(self, knowledge_base: str, entries: Sequence[Entry], *, actor: str = COMMAND_LINE) -> ImportCounts:
        """Add or change entries by their key, in one transaction."""
        async with self.database.transaction() as session:
            base = await _get_or_add_base(session, knowledge_base)
            edit = _Edit(session, base, actor)
            existing = {entry.key: entry for entry in await read_entries(session, base.id)}
            new = {entry.key: entry for entry in entries if entry.key not in existing}
            changed = {entry.key: entry for entry in entries if existing.get(entry.key, entry) != entry}
            for keys in _batches(changed):
                for row in await _find_rows(session, base, keys):
                    edit.overwrite(row, changed[row.key])
                await session.flush()
            for keys in _batches(new):
                for key in keys:
                    edit.add(new[key])
                await session.flush()
        return ImportCounts(len(new), len(changed), len(entries) - len(new) - len(changed))

    @whole
    async def add(self, knowledge_base: str, entry: Entry, *, actor: str) -> None:
        """Add one entry; raises NameTaken if its key is, and UnknownEntry without such a knowledge base."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            taken = select(EntryRow.id).where(EntryRow.knowledge_base_id == base.id, EntryRow.key == entry.key)
            if await session.scalar(taken):
                raise NameTaken(f"there is an entry {entry.key!r} already")
            _Edit(session, base, actor).add(entry)

    @whole
    async def replace(self, knowledge_base: str, entry: Entry, *, actor: str, version: str | None = None) -> None:
        """Change one entry, if it still is what it was at `version`.

        Raises:
            UnknownEntry: there is none of this key.
            EntryChanged: somebody else was faster.
        """
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            row = (await _find_rows(session, base, [entry.key]))[0]
            if version is not None and version != version_of(to_entry(row)):
                raise EntryChanged(f"{entry.key} has been changed by somebody else meanwhile")
            _Edit(session, base, actor).overwrite(row, entry)

    @whole
    async def edit(
        self, knowledge_base: str, keys: Iterable[str], change: Callable[[Entry], Entry], *, actor: str
    ) -> int:
        """Change several entries alike, all or none; return how many are different now. Raises UnknownEntry."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            edit, changed = _Edit(session, base, actor), 0
            for some in _batches(keys):
                for row in await _find_rows(session, base, some):
                    changed += edit.overwrite(row, change(to_entry(row)))
                await session.flush()
            return changed

    @whole
    async def delete(self, knowledge_base: str, keys: Iterable[str], *, actor: str = COMMAND_LINE) -> int:
        """Delete entries by key, or raise UnknownEntry and delete none."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            edit, deleted = _Edit(session, base, actor), 0
            for some in _batches(keys):
                rows = await _find_rows(session, base, some)
                await edit.remove(rows)
                deleted += len(rows)
            return deleted

    @whole
    async def history(self, knowledge_base: str, key: str) -> list[EntryChange]:
        """List what became of an entry, newest first."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            rows = await session.scalars(
                select(EntryChangeRow)
                .where(EntryChangeRow.knowledge_base_id == base.id, EntryChangeRow.key == key)
                .order_by(EntryChangeRow.id.desc())
            )
            return [EntryChange(row.created_at, row.actor, row.before, row.after) for row in rows]


@dataclass
class _Edit:
    """Changes by one person at one moment, each written down."""

    session: AsyncSession
    base: KnowledgeBaseRow
    actor: str
    at: datetime = field(default_factory=now)

    def add(self, entry: Entry) -> None:
        self._fill(EntryRow(knowledge_base_id=self.base.id), entry)
        self._note(entry.key, None, entry)

    def overwrite(self, row: EntryRow, entry: Entry) -> bool:
        """Make a row hold another entry; say whether that changed anything."""
        before = to_entry(row)
        if before == entry:
            return False
        self._fill(row, entry)
        self._note(entry.key, before, entry)
        return True

    async def remove(self, rows: Sequence[EntryRow]) -> None:
        for row in rows:
            self._note(row.key, to_entry(row), None)
        await self.session.execute(delete(EntryRow).where(EntryRow.id.in_([row.id for row in rows])))

    def _fill(self, row: EntryRow, entry: Entry) -> None:
        for name in _PLAIN:
            setattr(row, name, getattr(entry, name))
        row.tags, row.updated_at = list(entry.tags), self.at
        if [variant.text for variant in row.variants] != list(entry.variants):
            row.variants = [VariantRow(position=position, text=text) for position, text in enumerate(entry.variants)]
        self.session.add(row)

    def _note(self, key: str, before: Entry | None, after: Entry | None) -> None:
        change = EntryChangeRow(knowledge_base_id=self.base.id, key=key, actor=self.actor, created_at=self.at)
        change.before = before.to_dict() if before else None
        change.after = after.to_dict() if after else None
        self.session.add(change)


async def find_base(session: AsyncSession, name: str, *, alone: bool = False) -> KnowledgeBaseRow:
    """Return a knowledge base; `alone` keeps others from it until the transaction ends, where the database can."""
    query = select(KnowledgeBaseRow).where(KnowledgeBaseRow.name == name)
    base = await session.scalar(query.with_for_update() if alone else query)
    if base is None:
        raise UnknownEntry(f"there is no knowledge base {name!r}; frontdesk faq import makes one")
    return base


async def read_entries(session: AsyncSession, base_id: int) -> list[Entry]:
    """Return all entries of a knowledge base, in their order; as columns, several times faster than as objects."""
    of_base = EntryRow.knowledge_base_id == base_id
    query = select(VariantRow.entry_id, VariantRow.text).join(EntryRow, EntryRow.id == VariantRow.entry_id)
    variants: dict[int, list[str]] = defaultdict(list)
    for entry_id, text in await session.execute(query.where(of_base).order_by(VariantRow.position)):
        variants[entry_id].append(text)
    columns = [getattr(EntryRow, name) for name in _PLAIN]
    rows = await session.execute(select(EntryRow.id, EntryRow.tags, *columns).where(of_base).order_by(EntryRow.id))
    return [
        Entry(**dict(zip(_PLAIN, plain, strict=True)), tags=tuple(tags), variants=tuple(variants[row_id]))
        for row_id, tags, *plain in rows
    ]


def to_entry(row: EntryRow) -> Entry:
    """Return the entry that a row holds."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    return Entry(**values, tags=tuple(row.tags), variants=tuple(variant.text for variant in row.variants))


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    """Split work that would otherwise keep everybody else waiting while it is prepared."""
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), BATCH):
        yield distinct[start : start + BATCH]


async def _get_or_add_base(session: AsyncSession, name: str) -> KnowledgeBaseRow:
    try:
        return await find_base(session, name)
    except UnknownEntry:
        base = KnowledgeBaseRow(name=name)
        session.add(base)
        await session.flush()
        return base


async def _find_rows(session: AsyncSession, base: KnowledgeBaseRow, keys: Iterable[str]) -> list[EntryRow]:
    wanted = set(keys)
    query = select(EntryRow).where(EntryRow.knowledge_base_id == base.id, EntryRow.key.in_(wanted))
    rows = list(await session.scalars(query))
    missing = wanted - {row.key for row in rows}
    if missing:
        raise UnknownEntry(f"the knowledge base {base.name!r} has no entry {', '.join(sorted(missing))}")
    return rows


def _has(word: str) -> ColumnElement[bool]:
    """Match entries with a word anywhere in what a person reads of them."""
    in_variant = select(VariantRow.id).where(
        VariantRow.entry_id == EntryRow.id, VariantRow.text.icontains(word, autoescape=True)
    )
    columns = (EntryRow.key, EntryRow.question, EntryRow.answer)
    return or_(*(column.icontains(word, autoescape=True) for column in columns), in_variant.exists())


def _tags(session: AsyncSession) -> Function[Any]:
    """Return what gives an entry's tags as rows."""
    if session.get_bind().dialect.name == "postgresql":
        return func.json_array_elements_text(EntryRow.tags)
    return func.json_each(EntryRow.tags)


def _is_tagged(session: AsyncSession, tag: str) -> ColumnElement[bool]:
    if session.get_bind().dialect.name == "postgresql":
        return cast(EntryRow.tags, JSONB).contains([tag])
    each = _tags(session).table_valued("value")
    return select(each.c.value).where(each.c.value == tag).exists()
