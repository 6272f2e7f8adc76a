"""The numbers of the dashboard."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from bot.days import today
from bot.http.admin.access import ConversationReader, parts_of
from bot.http.admin.spreadsheet import csv_response
from bot.http.errors import RequestError
from bot.store.statistics import OUTCOMES, Statistics, StatisticsStore

router = APIRouter()

DEFAULT_DAYS = 30
MAX_DAYS = 366

Day = Annotated[date | None, Query(ge=date(2000, 1, 1), le=date(2100, 1, 1))]
Channel = Annotated[str | None, Query(min_length=1, max_length=100)]


@router.get("/statistics")
async def show_statistics(
    request: Request, _actor: ConversationReader, start: Day = None, end: Day = None, channel: Channel = None
) -> dict[str, Any]:
    """Count what happened from one day to another, both among them, in the server's time zone; the last 30 by default.

    `self_service_rate` is the share of conversations that got an answer, never reached a person and did not end with a
    refusal; it and the latencies are null where there was nothing.
    """
    return asdict(await _count(request, start, end, channel))


@router.get("/statistics.csv")
async def export_statistics(
    request: Request, _actor: ConversationReader, start: Day = None, end: Day = None, channel: Channel = None
) -> Response:
    """Return the same, a row a day, for a spreadsheet."""
    statistics = await _count(request, start, end, channel)
    days = statistics.days
    header = ["date", "conversations", "questions", *OUTCOMES, "latency_p50_ms", "latency_p90_ms", "up", "down"]
    rows = [[{**asdict(day), **day.outcomes}[name] for name in header] for day in days]
    return csv_response(f"frontdesk-{days[0].date}-{days[-1].date}.csv", header, rows)


async def _count(request: Request, start: date | None, end: date | None, channel: str | None) -> Statistics:
    end = end or today()
    start = start or end - timedelta(days=DEFAULT_DAYS - 1)
    if start > end:
        raise RequestError(400, "invalid_request", "start: it is after the end")
    if (end - start).days >= MAX_DAYS:
        raise RequestError(400, "invalid_request", f"start: {MAX_DAYS} days are counted at most")
    parts = parts_of(request)
    sensitive = parts.desk.settings.bot.sensitive_words
    return await StatisticsStore(parts.database).statistics(start, end, channel, sensitive=sensitive)
