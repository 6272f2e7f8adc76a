"""How the log looks: lines for people, or JSON for machines; always on standard error.

Each line of a request, of a channel's message and of background work says which one it belongs to, through structlog's
context variables: tasks and `asyncio.to_thread` inherit them.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import structlog

from bot.telemetry import add_trace_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _Lines(logging.Handler):
    """What the libraries say, in the form of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, wherever standard error goes now."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # as every handler does: a line that cannot be written stops nobody
            self.handleError(record)


def set_up_logging(level: str, *, as_json: bool) -> None:
    """Set up structlog, and let the libraries speak only when something is wrong, in the same form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    rendering = _as_json() if as_json else _for_people()
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to debug
    lines = _Lines()
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [*(handler for handler in root.handlers if not isinstance(handler, _Lines)), lines]
    root.setLevel(logging.WARNING)


def _as_json() -> list[structlog.typing.Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _for_people() -> list[structlog.typing.Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the rich one prints local values: what was asked
        )
    ]


def request_id_from(given: str | None) -> str:
    """Return the identifier that a caller gave a request, or a new one if it could not stand in a header or a log."""
    return given if given and _REQUEST_ID.fullmatch(given) else uuid4().hex[:16]


async def in_background(name: str, work: Coroutine[Any, Any, None]) -> None:
    """Do some work whose log lines say which it is."""
    with structlog.contextvars.bound_contextvars(background=name):
        await work
