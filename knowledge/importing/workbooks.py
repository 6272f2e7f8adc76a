"""XLSX and XLS files."""

from __future__ import annotations

import functools
import io
import json
import re
import signal
import subprocess  # nosec B404
import sys
import zipfile
import zlib
from pathlib import Path

from knowledge.errors import ImportFileError
from knowledge.importing import sheets
from knowledge.importing.readers import OLE, ZIP, Row, check_length

MAX_UNPACKED_BYTES = 512 << 20
MAX_CELLS = 20_000_000
SECONDS = 300.0
_SHEET = re.compile(r"worksheets/[^/]+\.xml$")
_CELL = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")


def read_workbook(content: bytes, name: str) -> list[Row]:
    """Read the first sheet that is not empty, in a process of its own that a bad file may end."""
    if content.startswith(ZIP):
        _check_unpacked_size(content, name)
    elif not content.startswith(OLE):
        raise ImportFileError("not_excel", name=name)
    command = [sys.executable, "-P", str(Path(sheets.__file__))]
    try:
        read = subprocess.run(command, input=content, capture_output=True, check=True, timeout=SECONDS)  # noqa: S603  # nosec B603
    except subprocess.TimeoutExpired as error:
        raise ImportFileError("too_slow", name=name) from error
    except subprocess.CalledProcessError as error:
        raise ImportFileError(_reason(error), name=name) from error
    rows = [Row(number, cells) for number, cells in enumerate(json.loads(read.stdout), start=1)]
    check_length(rows, name)
    return rows


def _reason(ended: subprocess.CalledProcessError) -> str:
    """Return why the reader ended: by a limit of its own, or by the file."""
    if sys.platform != "win32" and ended.returncode == -signal.SIGXCPU:
        return "too_slow"
    if ended.returncode == -signal.SIGABRT or b"MemoryError" in ended.stderr:  # Rust aborts where memory is refused
        return "too_much_memory"
    return "damaged"


def _extent(sheet: bytes) -> int:
    """Return how many cells lie within the farthest row and column of a sheet's XML, all of which are allocated."""
    rows = columns = 0
    for letters, digits in _CELL.findall(sheet):
        rows = max(rows, int(digits))
        columns = max(columns, functools.reduce(lambda total, letter: total * 26 + letter - 64, letters, 0))
    return rows * columns


def _check_unpacked_size(content: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            names = [member for member in archive.namelist() if _SHEET.search(member)]
            largest = (
                max((_extent(archive.read(sheet)) for sheet in names), default=0)
                if unpacked < MAX_UNPACKED_BYTES
                else 0
            )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise ImportFileError("damaged", name=name) from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise ImportFileError("unpacks_to_too_much", name=name)
    if largest > MAX_CELLS:
        raise ImportFileError("cells_far_away", name=name)
