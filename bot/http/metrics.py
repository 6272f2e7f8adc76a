"""The numbers that are counted as things happen; those that are read when Prometheus asks are in `gauges`."""

from __future__ import annotations

from typing import get_args

from prometheus_client import Counter, Histogram, disable_created_metrics

from bot.question import Answer, Outcome

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, of no use to anybody

REQUESTS = Counter("frontdesk_http_requests_total", "HTTP requests served.", ["method", "status"])
ANSWERS = Counter(
    "frontdesk_answers_total", "Answers given; degraded if a model could not be used.", ["outcome", "degraded"]
)
UNANSWERED = Counter(
    "frontdesk_unanswered_total",
    "Questions without an answer: rejected (not a question), unread (the reader left), stopping, failed.",
    ["reason"],
)
TOKENS = Counter(
    "frontdesk_tokens_total", "Tokens of the chat models; cached ones are among those of prompts.", ["kind"]
)
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
CONFIDENCE = Histogram(
    "frontdesk_confidence_ratio", "The confidence that questions were answered with.",
    buckets=(0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.85, 0.95),
)  # fmt: skip

for _outcome in get_args(Outcome):  # there from the start, so that a rate over the first one is right
    ANSWERS.labels(_outcome, "false")
    ANSWER_SECONDS.labels(_outcome)
for _reason in ("rejected", "unread", "stopping", "failed"):
    UNANSWERED.labels(_reason)


def count(answer: Answer) -> None:
    """Add an answer to the numbers."""
    ANSWERS.labels(answer.outcome, str(answer.degraded).lower()).inc()
    ANSWER_SECONDS.labels(answer.outcome).observe(answer.timings.total_ms / 1_000)
    SEARCH_SECONDS.observe(answer.timings.search_ms / 1_000)
    if answer.confidence is not None:
        CONFIDENCE.observe(answer.confidence)
    if answer.timings.first_token_ms is not None:
        FIRST_TOKEN_SECONDS.observe(answer.timings.first_token_ms / 1_000)
    TOKENS.labels("prompt").inc(answer.usage.prompt)
    TOKENS.labels("cached").inc(answer.usage.cached)
    TOKENS.labels("completion").inc(answer.usage.completion)


def count_request(method: str, status: int) -> None:
    """Add a request; whatever a client calls its method, there are only so many labels."""
    REQUESTS.labels(method if method in METHODS else "other", str(status)).inc()
