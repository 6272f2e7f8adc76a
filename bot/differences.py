"""What lies between two states of a knowledge base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from knowledge.entries import Entry

MAX_LISTED = 200


@dataclass(frozen=True)
class Difference:
    """The entries that were added, changed (before and after) and removed."""

    added: list[Entry]
    changed: list[tuple[Entry, Entry]]
    removed: list[Entry]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types, cut to what a person may read, with the true counts beside."""
        return {
            "added": [entry.to_dict() for entry in self.added[:MAX_LISTED]],
            "changed": [
                {"before": before.to_dict(), "after": after.to_dict()} for before, after in self.changed[:MAX_LISTED]
            ],
            "removed": [entry.to_dict() for entry in self.removed[:MAX_LISTED]],
            "added_count": len(self.added),
            "changed_count": len(self.changed),
            "removed_count": len(self.removed),
        }


def compare(before: list[Entry], after: list[Entry]) -> Difference:
    """Return what was added, changed and removed, by key."""
    old, new = ({entry.key: entry for entry in entries} for entries in (before, after))
    return Difference(
        added=[entry for key, entry in new.items() if key not in old],
        changed=[(old[key], entry) for key, entry in new.items() if key in old and old[key] != entry],
        removed=[entry for key, entry in old.items() if key not in new],
    )
