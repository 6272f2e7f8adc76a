from __future__ import annotations

from datetime import UTC, date, datetime

from bot.days import beginning_of, day_of, days_between, today
from tests.bot.past import server_in


def test_a_day_begins_at_the_servers_midnight() -> None:
    with server_in("Asia/Shanghai"):
        assert beginning_of(date(2026, 3, 2)) == datetime(2026, 3, 1, 16, tzinfo=UTC)
        assert day_of(datetime(2026, 3, 1, 15, 59, tzinfo=UTC)) == date(2026, 3, 1)
        assert day_of(datetime(2026, 3, 1, 16, tzinfo=UTC)) == date(2026, 3, 2)
        assert today() == datetime.now().astimezone().date()


def test_days_are_longer_and_shorter_where_clocks_change() -> None:
    with server_in("Europe/Berlin"):
        hours = [
            (beginning_of(date(2026, month, day + 1)) - beginning_of(date(2026, month, day))).total_seconds() / 3_600
            for month, day in ((3, 28), (3, 29), (10, 25))
        ]
    assert hours == [24, 23, 25]


def test_days_are_listed_with_both_ends() -> None:
    assert days_between(date(2026, 2, 28), date(2026, 3, 1)) == [date(2026, 2, 28), date(2026, 3, 1)]
    assert days_between(date(2026, 3, 1), date(2026, 3, 1)) == [date(2026, 3, 1)]
