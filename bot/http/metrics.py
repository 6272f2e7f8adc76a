"""The numbers that Prometheus collects."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bot.models.engine.counters import Counters
from bot.question import Answer

REQUESTS = Counter("frontdesk_http_requests_total", "HTTP requests served.", ["method", "status"])
ANSWERS = Counter("frontdesk_answers_total", "Answers given.", ["outcome", "degraded"])
TOKENS = Counter("frontdesk_tokens_total", "Tokens of the chat models.", ["kind"])
ANSWER_SECONDS = Histogram(
    "frontdesk_answer_seconds", "From question to complete answer.", ["outcome"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)  # fmt: skip
FIRST_TOKEN_SECONDS = Histogram(
    "frontdesk_first_token_seconds", "From question to a generated answer's first words.",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)  # fmt: skip
SEARCH_SECONDS = Histogram(
    "frontdesk_search_seconds", "Finding the evidence.", buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)
)


ENGINE_COUNTERS = {
    "requests": "Prompts taken.",
    "finished": "Answers finished.",
    "cancelled": "Answers that nobody waited for any more.",
    "late": "Answers given up for taking too long.",
    "shed": "Prompts refused because the wait would have been too long.",
    "suspended": "Times that an answer made room for another.",
    "queue_seconds": "Seconds that prompts waited for a slot.",
    "prompt_computed": "Prompt tokens computed.",
    "prompt_reused": "Prompt tokens whose state was kept.",
    "prepared": "Prompt tokens computed while nobody asked.",
    "generated": "Tokens of answers.",
    "drafted": "Tokens guessed.",
    "accepted": "Guesses that were right.",
    "steps": "Steps of the model.",
    "rows": "Tokens computed in them.",
    "occupancy": "Answers and prompts worked on in them.",
    "seconds": "Seconds at work.",
    "decode_seconds": "Seconds of these inside llama.cpp.",
}


class EngineCollector:
    """The engine's counters, read when they are asked for."""

    def __init__(self, counters: Counters, wait: float) -> None:
        """Take them as they stand; `wait` is the predicted wait for a first token, in seconds."""
        self._counters, self._wait = counters, wait

    def collect(self) -> Iterator[Metric]:
        """Give each as a counter."""
        for name, description in ENGINE_COUNTERS.items():
            yield CounterMetricFamily(f"frontdesk_engine_{name}", description, value=getattr(self._counters, name))
        yield GaugeMetricFamily(
            "frontdesk_engine_predicted_wait_seconds", "What a new prompt would wait for its first token.", self._wait
        )


def exposition(counters: Counters | None, wait: float = 0.0) -> bytes:
    """Return all numbers as Prometheus reads them, with the engine's if there is one."""
    if counters is None:
        return generate_latest()
    registry = CollectorRegistry()
    registry.register(EngineCollector(counters, wait))
    return generate_latest() + generate_latest(registry)


def count(answer: Answer) -> None:
    """Add an answer to the numbers."""
    ANSWERS.labels(answer.outcome, str(answer.degraded).lower()).inc()
    ANSWER_SECONDS.labels(answer.outcome).observe(answer.timings.total_ms / 1_000)
    SEARCH_SECONDS.observe(answer.timings.search_ms / 1_000)
    if answer.timings.first_token_ms is not None:
        FIRST_TOKEN_SECONDS.observe(answer.timings.first_token_ms / 1_000)
    TOKENS.labels("prompt").inc(answer.usage.prompt)
    TOKENS.labels("cached").inc(answer.usage.cached)
    TOKENS.labels("completion").inc(answer.usage.completion)
