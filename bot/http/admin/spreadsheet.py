"""Tables for spreadsheet programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from fastapi import Response

from knowledge.formulas import disarm

_MARK = "\ufeff"
"""Tells Excel that the text is UTF-8."""


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a CSV file to be saved under a name; no text in it is taken for a formula."""
    file = io.StringIO(newline="")
    file.write(_MARK)
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows([disarm(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
