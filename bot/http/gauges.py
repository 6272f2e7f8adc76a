"""The numbers that are read when Prometheus asks: what the parts hold and have done so far."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy.pool import QueuePool
from starlette.datastructures import State

from bot.assembly import Parts
from bot.channels.switchboard import Switchboard
from bot.models.local import LocalChatModel

ENGINE_COUNTERS = {
    "requests": ("requests", "Prompts taken."),
    "finished": ("finished", "Answers finished."),
    "cancelled": ("cancelled", "Answers that nobody waited for any more."),
    "late": ("late", "Answers given up for taking too long."),
    "shed": ("shed", "Prompts refused because the wait would have been too long."),
    "suspended": ("suspended", "Times that an answer made room for another."),
    "queue_seconds": ("queue_seconds", "Seconds that prompts waited for a slot."),
    "prompt_computed": ("prompt_tokens_computed", "Prompt tokens computed."),
    "prompt_reused": ("prompt_tokens_reused", "Prompt tokens whose state was kept."),
    "prepared": ("prepared_tokens", "Prompt tokens computed while nobody asked."),
    "generated": ("generated_tokens", "Tokens of answers."),
    "drafted": ("drafted_tokens", "Tokens guessed."),
    "accepted": ("accepted_tokens", "Guesses that were right."),
    "steps": ("steps", "Steps of the model."),
    "rows": ("step_tokens", "Tokens computed in steps."),
    "occupancy": ("step_requests", "Answers and prompts worked on in steps."),
    "seconds": ("busy_seconds", "Seconds at work."),
    "decode_seconds": ("decode_seconds", "Seconds of these inside llama.cpp."),
}
"""By the name in `Counters`: that of the metric, without frontdesk_engine_ and _total, and what it counts."""


async def exposition(state: State, *, ready: bool) -> bytes:
    """Return all numbers as Prometheus reads them."""
    switchboard: Switchboard = state.switchboard
    try:
        waiting = await switchboard.store.waiting() if switchboard.channels else {}
    except Exception:  # the database is away, which frontdesk_ready says
        waiting = {}
    registry = CollectorRegistry()
    registry.register(_Gauges(state, waiting, ready=ready))
    return generate_latest() + generate_latest(registry)


class _Gauges:
    """Everything that is read at once."""

    def __init__(self, state: State, waiting: Mapping[str, int], *, ready: bool) -> None:
        self._state, self._waiting, self._ready = state, waiting, ready
        self._parts: Parts = state.parts

    def collect(self) -> Iterator[Metric]:
        """Give every number; only what is there."""
        yield from self._server()
        yield from self._knowledge()
        yield from self._database()
        yield from self._remote()
        yield from self._channels()
        if isinstance(model := self._parts.desk.local, LocalChatModel):
            yield from engine_metrics(model)

    def _server(self) -> Iterator[Metric]:
        about = {"version": version("frontdesk-bot"), "python": platform.python_version()}
        build = GaugeMetricFamily("frontdesk_build_info", "What runs; always 1.", labels=list(about))
        build.add_metric(list(about.values()), 1)
        yield build
        yield _gauge("ready", "Whether questions are answered, as /readyz says.", self._ready)
        yield _gauge("draining", "Whether it was asked to stop and lets answers end.", self._state.drain.begun)
        yield _gauge("answers_unfinished", "Answers on their way.", self._state.running.unfinished)
        yield _gauge("searches_unfinished", "Questions whose entries are being found.", self._state.admission.searching)
        yield _gauge("tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))

    def _knowledge(self) -> Iterator[Metric]:
        desks = {name or "default": desk.knowledge for name, desk in self._parts.desks.items()}
        entries = {name: len(knowledge.entries) for name, knowledge in desks.items()}
        yield _labelled(GaugeMetricFamily, "index_entries", "FAQ entries that are searched.", "bot", entries)
        loaded = {name: knowledge.loaded_at for name, knowledge in desks.items() if knowledge.loaded_at}
        yield _labelled(
            GaugeMetricFamily, "index_loaded_timestamp_seconds", "When it was loaded, in Unix time.", "bot", loaded
        )
        releases = {name: number for knowledge in desks.values() for name, number in knowledge.live_releases.items()}
        yield _labelled(
            GaugeMetricFamily, "release_number", "The release that is searched.", "knowledge_base", releases
        )

    def _database(self) -> Iterator[Metric]:
        pool = self._parts.database.engine.pool
        if isinstance(pool, QueuePool):
            states = {"used": pool.checkedout(), "idle": pool.checkedin()}
            yield _labelled(GaugeMetricFamily, "database_connections", "Connections of the pool.", "state", states)

    def _remote(self) -> Iterator[Metric]:
        remote = self._parts.desk.remote
        if remote is not None:
            yield _gauge("remote_model_available", "Whether it is asked; 0 while it is left alone.", remote.available)
            yield _labelled(
                CounterMetricFamily, "remote_model_requests", "Requests, by how they ended.", "result", remote.requests
            )

    def _channels(self) -> Iterator[Metric]:
        switchboard: Switchboard = self._state.switchboard
        channels = switchboard.channels
        up = {name: channel.failure is None for name, channel in channels.items()}
        yield _labelled(GaugeMetricFamily, "channel_up", "Whether a channel works.", "channel", up)
        waiting = {name: self._waiting.get(name, 0) for name in channels}
        yield _labelled(GaugeMetricFamily, "channel_waiting_messages", "Messages not answered yet.", "channel", waiting)
        answered = {name: channel.answered for name, channel in channels.items()}
        yield _labelled(CounterMetricFamily, "channel_answers", "Answers delivered.", "channel", answered)
        failures = {name: channel.failures for name, channel in channels.items()}
        yield _labelled(CounterMetricFamily, "channel_failures", "Times a channel failed.", "channel", failures)


def engine_metrics(model: LocalChatModel) -> Iterator[Metric]:
    """Yield what the engine of the local chat model has done, and what waits for it."""
    for field, (name, description) in ENGINE_COUNTERS.items():
        value = getattr(model.counters, field)
        yield CounterMetricFamily(f"frontdesk_engine_{name}", description, value=value)
    yield _gauge("engine_waiting", "Prompts that wait for a slot.", model.waiting)
    yield _gauge("engine_working", "Prompts and answers that have one.", model.working)
    yield _gauge("engine_threads", "Threads that compute: fewer while others want the cores.", model.threads)
    yield _gauge(
        "engine_predicted_wait_seconds", "What a new prompt would wait for its first words.", model.predicted_wait
    )


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(f"frontdesk_{name}", description, value=value)


def _labelled(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    description: str,
    label: str,
    values: Mapping[str, float],
) -> Metric:
    family = kind(f"frontdesk_{name}", description, labels=[label])
    for labelled, value in values.items():
        family.add_metric([labelled], value)
    return family
