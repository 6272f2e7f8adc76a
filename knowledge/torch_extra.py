"""What is said when sentence-transformers, an extra, is not there or does not load a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from knowledge.errors import ModelUnavailable


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Turn what importing sentence-transformers or loading a model with it raises into ModelUnavailable."""
    try:
        yield
    except ImportError as error:
        raise ModelUnavailable(
            "sentence-transformers is not installed; run: pip install 'frontdesk-bot[sentence-transformers]'"
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelUnavailable(f"sentence-transformers cannot load {name}: {str(error).splitlines()[0]}") from error
