"""Documents and web pages: whatever their format, sections, and from these rows that become draft entries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from knowledge.errors import ImportFileError
from knowledge.importing import pdf, webpage, word
from knowledge.importing.markdown import Section
from knowledge.importing.passages import to_rows
from knowledge.importing.readers import MAX_BYTES, Row

_READERS: dict[str, Callable[[bytes, str], list[Section]]] = {
    ".docx": word.read_sections,
    ".pdf": pdf.read_sections,
    ".html": webpage.read_sections,
    ".htm": webpage.read_sections,
}
DOCUMENTS = tuple(_READERS)


def read_document(content: bytes, name: str) -> list[Row]:
    """Return a table with one row a draft entry; the ending of `name` tells the format.

    Raises:
        ImportFileError: the document cannot be read, holds no text, or is larger than a document can need to be.
    """
    if len(content) > MAX_BYTES:
        raise ImportFileError("too_large", name=name, limit=MAX_BYTES >> 20)
    try:
        rows = to_rows(_READERS[Path(name).suffix.lower()](content, name))
    except ImportFileError:
        raise
    except ImportError as error:
        raise ImportFileError("no_documents", name=name) from error
    except Exception as error:  # three libraries and hostile files: there is no list of what they raise
        raise ImportFileError("damaged", name=name) from error
    if len(rows) == 1:
        raise ImportFileError("no_text", name=name)
    return rows
