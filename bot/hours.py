"""When there are people to talk to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = {
    "mon": ("周一", "Mon"),
    "tue": ("周二", "Tue"),
    "wed": ("周三", "Wed"),
    "thu": ("周四", "Thu"),
    "fri": ("周五", "Fri"),
    "sat": ("周六", "Sat"),
    "sun": ("周日", "Sun"),
}
_ORDER = list(_DAYS)
_DAY, _TIME = "|".join(_DAYS), r"([01]?\d|2[0-3]):([0-5]\d)"
_SPAN = re.compile(rf"({_DAY})(?:-({_DAY}))? +{_TIME}-{_TIME}", re.ASCII)


@dataclass(frozen=True)
class _Span:
    first: int
    last: int
    start: time
    end: time

    def covers(self, moment: datetime) -> bool:
        return self.first <= moment.weekday() <= self.last and self.start <= moment.time() < self.end

    def describe(self, language: str) -> str:
        first, last = (_DAYS[_ORDER[day]][language != "zh"] for day in (self.first, self.last))
        days = first if first == last else f"{first}至{last}" if language == "zh" else f"{first}–{last}"
        return f"{days} {self.start:%H:%M}–{self.end:%H:%M}"


class OpeningHours:
    """Spans of the week such as "mon-fri 09:00-18:00"; without any, it is always open."""

    def __init__(self, spans: Sequence[str], time_zone: str | None = None) -> None:
        """Read the spans; raises ValueError, saying which of them cannot be read."""
        self._spans = [_read(span) for span in spans]
        try:
            self._zone = ZoneInfo(time_zone) if time_zone else None
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{time_zone!r} is no time zone such as Asia/Shanghai") from error

    def is_open(self, moment: datetime | None = None) -> bool:
        """Say whether somebody is there at a moment, by default now."""
        local = (moment or datetime.now().astimezone()).astimezone(self._zone)
        return not self._spans or any(span.covers(local) for span in self._spans)

    def describe(self, language: str) -> str:
        """Return the hours in a customer's language."""
        return ("、" if language == "zh" else ", ").join(span.describe(language) for span in self._spans)


def _read(text: str) -> _Span:
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f'{text!r} is not like "mon-fri 09:00-18:00"')
    first, last = _ORDER.index(match[1]), _ORDER.index(match[2] or match[1])
    start, end = (time(int(match[hour]), int(match[hour + 1])) for hour in (3, 5))
    if first > last or start >= end:
        raise ValueError(f"{text!r} ends before it begins; write it as two")
    return _Span(first, last, start, end)
