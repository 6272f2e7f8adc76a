"""Traces, where somebody wants them: OpenTelemetry's spans, sent by OTLP over HTTP; nothing is imported before.

One question is one tree: request → question → search (embed, index), generate, escalate, handoff. Spans tell what was
decided and how long it took, never what anybody wrote. W3C's `traceparent` joins them to those of whoever asks, and of
the remote model.
"""

from __future__ import annotations

import platform
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from starlette.datastructures import Headers
from starlette.types import Scope

from bot.errors import SettingsError
from bot.question import Answer, Event, Finished
from bot.sections import TelemetrySettings
from knowledge.stages import watch_stages

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OpenSpan
    from opentelemetry.trace import Tracer

P = ParamSpec("P")
SelfT = TypeVar("SelfT")

EXPORT_SECONDS = 3.0
"""A collector that takes longer gets nothing: neither answers nor a stop wait for it."""

Kind = Literal["INTERNAL", "SERVER", "CLIENT"]


class Span:
    """Something that takes time, to which facts can be added; this one forgets them."""

    def note(self, **facts: str | float | bool | None) -> None:
        """Add facts, by the names of `_NAMES`."""


_NAMES = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "model": "gen_ai.request.model",
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
}
"""What OpenTelemetry has a name for; all else begins with `frontdesk.`."""


@dataclass(frozen=True)
class _KeptSpan(Span):
    span: OpenSpan

    def note(self, **facts: str | float | bool | None) -> None:
        for name, value in facts.items():
            if value is not None:
                self.span.set_attribute(_NAMES.get(name, f"frontdesk.{name}"), value)


@dataclass(frozen=True)
class _Tracing:
    provider: TracerProvider
    tracer: Tracer


_tracing: _Tracing | None = None
_no_span = nullcontext(Span())


def start_telemetry(settings: TelemetrySettings) -> None:
    """Send traces from now on, if the settings say where to.

    Raises:
        SettingsError: they do, and the extra is not installed.
    """
    global _tracing  # noqa: PLW0603 - as with logging, one for the process
    if not settings.endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        install = "pip install 'frontdesk-bot[telemetry]'"
        raise SettingsError(f"telemetry.endpoint is set, and OpenTelemetry is not installed; run: {install}") from error
    about = {"service.name": settings.service_name, "service.version": version("frontdesk-bot")}
    provider = TracerProvider(resource=Resource.create({**about, "host.name": platform.node()}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracing = _Tracing(provider, provider.get_tracer("frontdesk"))
    watch_stages(span)


def stop_telemetry() -> None:
    """Send what is left; blocks for seconds at most."""
    global _tracing  # noqa: PLW0603
    if _tracing is not None:
        watch_stages(None)
        _tracing.provider.shutdown()
        _tracing = None


def span(name: str) -> AbstractContextManager[Span]:
    """Follow a block without `yield`s to others; inside it, further spans are this one's children."""
    return _no_span if _tracing is None else _following(_tracing.tracer, name, "INTERNAL")


def request_span(scope: Scope) -> AbstractContextManager[Span]:
    """Follow a request, as a child of its caller's span if it names one."""
    if _tracing is None:
        return _no_span
    return _following(_tracing.tracer, scope["method"], "SERVER", Headers(scope=scope))


def traced(
    name: str, kind: Kind = "INTERNAL"
) -> Callable[[Callable[P, AsyncGenerator[Event]]], Callable[P, AsyncGenerator[Event]]]:
    """Have a method that yields the events of an answer followed, each step with its span as the current one."""

    def decorate(method: Callable[P, AsyncGenerator[Event]]) -> Callable[P, AsyncGenerator[Event]]:
        @wraps(method)
        def followed(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Event]:
            events = method(*args, **kwargs)
            if _tracing is None:
                return events
            answer: Answer | None = getattr(args[1], "answer", None)  # of a Case, whose answer grows
            return _steps(_tracing.tracer, name, kind, events, answer)

        return followed

    return decorate


def trace_headers() -> Mapping[str, str]:
    """Return the headers that join another server's spans to the current one."""
    if _tracing is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers


def add_trace_id(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add to a line of the log which trace it belongs to; a processor of structlog's."""
    if _tracing is not None:
        from opentelemetry.trace import format_span_id, format_trace_id, get_current_span  # noqa: PLC0415

        context = get_current_span().get_span_context()
        if context.is_valid:
            line.update({"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)})
    return line


@contextmanager
def _following(tracer: Tracer, name: str, kind: Kind, caller: Mapping[str, str] | None = None) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind, use_span  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    context = TraceContextTextMapPropagator().extract(caller) if caller else None
    opened = tracer.start_span(name, context, kind=SpanKind[kind])
    with use_span(opened, record_exception=False, set_status_on_exception=False):
        try:
            yield _KeptSpan(opened)
        except Exception as error:
            _fail(opened, error)
            raise
        finally:
            opened.end()


async def _steps(
    tracer: Tracer, name: str, kind: Kind, events: AsyncGenerator[Event], answer: Answer | None
) -> AsyncGenerator[Event]:
    """Go through the events; between two of them nothing is left in the reader's context."""
    from opentelemetry.context import attach, detach  # noqa: PLC0415
    from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415

    opened = tracer.start_span(name, kind=SpanKind[kind])
    inside = set_span_in_context(opened)
    try:
        while True:
            token = attach(inside)
            try:
                event = await anext(events)
            except StopAsyncIteration:
                break
            finally:
                detach(token)
            answer = event.answer if isinstance(event, Finished) else answer
            yield event
    except Exception as error:
        _fail(opened, error)
        raise
    finally:
        await events.aclose()
        if answer is not None:
            _note_answer(_KeptSpan(opened), answer)
        opened.end()


def _note_answer(span: Span, answer: Answer) -> None:
    span.note(
        turn=answer.turn_id,
        outcome=answer.outcome,
        confidence=answer.confidence,
        entry=answer.citations[0].key if answer.citations else None,
        degraded=answer.degraded,
        reused=answer.reused,
        model=answer.model,
        input_tokens=answer.usage.prompt or None,
        output_tokens=answer.usage.completion or None,
    )


def _fail(span: OpenSpan, error: Exception) -> None:
    """Say of what kind a failure is; its text may hold what somebody wrote."""
    from opentelemetry.trace import StatusCode  # noqa: PLC0415

    span.set_status(StatusCode.ERROR, type(error).__name__)
