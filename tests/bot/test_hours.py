from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.hours import OpeningHours

WEEK = OpeningHours(["mon-fri 09:00-18:00", "Sat 10:00-16:00"], "Asia/Shanghai")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 11, 23, 0, 59, tzinfo=UTC), False),  # Monday 08:59 in Shanghai
        (datetime(2026, 11, 23, 1, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 9, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 10, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 27, 18, 0, tzinfo=UTC), False),  # Saturday 02:00
        (datetime(2026, 11, 28, 2, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 29, 2, 30, tzinfo=UTC), False),
    ],
)
def test_hours_are_those_of_the_time_zone(moment: datetime, is_open: bool) -> None:
    assert WEEK.is_open(moment) is is_open


def test_without_hours_somebody_is_always_there() -> None:
    assert OpeningHours([]).is_open()


def test_hours_are_told_in_both_languages() -> None:
    assert WEEK.describe("zh") == "周一至周五 09:00–18:00、周六 10:00–16:00"
    assert WEEK.describe("en") == "Mon–Fri 09:00–18:00, Sat 10:00–16:00"


@pytest.mark.parametrize(
    "span", ["", "weekdays", "mon 9-18", "mon 09:00-25:00", "fri-mon 09:00-18:00", "mon 18:00-09:00", "mon ٠٩:00-18:00"]
)
def test_hours_of_no_use_are_named(span: str) -> None:
    with pytest.raises(ValueError, match=r"mon-fri|write it as two"):
        OpeningHours([span])


@pytest.mark.parametrize("zone", ["Shanghai", "../etc/passwd", " "])
def test_an_unknown_time_zone_is_named(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        OpeningHours([], zone)
