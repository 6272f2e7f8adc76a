"""What came of reading a file."""

from __future__ import annotations

from dataclasses import dataclass, field

from knowledge.entries import Entry
from knowledge.reasons import Reason


@dataclass(frozen=True)
class RowError:
    """A row that was left out, and why. `row` counts from 1 as a spreadsheet does; `column` may be empty.

    `text` is what stands in the row.
    """

    file: str
    row: int
    column: str
    reason: Reason
    text: str

    def __str__(self) -> str:
        """Say it in one line."""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}, row {self.row}{column}: {self.reason}"


@dataclass(frozen=True)
class ImportReport:
    """The good entries of a file and the errors of its bad rows."""

    entries: list[Entry]
    errors: list[RowError] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()
