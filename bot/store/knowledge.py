"""All that is kept of what bots answer from."""

from __future__ import annotations

from bot.store.entries import EntryStore
from bot.store.releases import ReleaseStore


class KnowledgeStore(EntryStore, ReleaseStore):
    """Entries as they are being edited, and the releases that were made of them."""
