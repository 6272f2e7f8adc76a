"""Days as they begin and end where the server stands, whatever its summer time does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta


def today() -> date:
    """Return the day that it is where the server stands."""
    return day_of(datetime.now(UTC))


def day_of(moment: datetime) -> date:
    """Return the day on which a moment, which names its zone, falls where the server stands."""
    return moment.astimezone().date()


def beginning_of(day: date) -> datetime:
    """Return the moment, in UTC, at which a day begins where the server stands."""
    return datetime.combine(day, time.min).astimezone(UTC)


def days_between(start: date, end: date) -> list[date]:
    """List the days from one to another, both among them."""
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]
