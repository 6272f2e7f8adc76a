"""The numbers that Prometheus collects."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

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
