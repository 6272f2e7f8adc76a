"""How the log looks: lines for people, or JSON for machines; always on standard error.

Each line of a request, of a channel's message and of background work says which one it belongs to, through structlog's
context variables: tasks and `asyncio.to_thread` inherit them. What others sent is part of some lines: none of it begins
a line of its own, or gives a terminal an order.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import textwrap
from collections.abc import Coroutine, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast
from uuid import uuid4

import structlog

from bot.telemetry import add_trace_id

_LINE_SEPARATORS = (0x2028, 0x2029)
_AS_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0), *_LINE_SEPARATORS)}
_IN_SEVERAL_LINES = {code: escape for code, escape in _AS_ESCAPES.items() if chr(code) not in "\n\t"}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _Lines(logging.Handler):
    """What the libraries say, in the form of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, wherever standard error goes now."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # as every handler does: a line that cannot be written stops nobody
            self.handleError(record)


class _Patient:
    """A stream to which a line that cannot be written is lost: a full disk must not fail what the line is about."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


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
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Patient(sys.stderr))),
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
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_to_json, ensure_ascii=False)]


def _for_people() -> list[structlog.typing.Processor]:
    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_write_traceback)
    return [_escape_values, console]


def _escape_values(
    _logger: structlog.typing.WrappedLogger, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Escape texts; whatever else a value is, the renderer shows it as Python would."""
    return {name: value.translate(_AS_ESCAPES) if isinstance(value, str) else value for name, value in event.items()}


def _to_json(event: Mapping[str, Any], **options: Any) -> str:
    """Escape also what JSON leaves as it is, though terminals obey it or end a line there."""
    return json.dumps(event, **options).translate(_AS_ESCAPES)


def _write_traceback(output: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a traceback without local values, which structlog's rich one prints: what was asked is among them."""
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    text = plain.getvalue().strip().translate(_IN_SEVERAL_LINES)
    output.write("\n" + textwrap.indent(text, "    ", lambda _: True))


def request_id_from(given: str | None) -> str:
    """Return the identifier that a caller gave a request, or a new one if it could not stand in a header or a log."""
    return given if given and _REQUEST_ID.fullmatch(given) else uuid4().hex[:16]


async def in_background(name: str, work: Coroutine[Any, Any, None]) -> None:
    """Do some work whose log lines say which it is."""
    with structlog.contextvars.bound_contextvars(background=name):
        await work
