"""How often one visitor, or one address, may ask."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_KEYS = 20_000
"""So many are remembered; whoever was heard of longest ago is forgotten first."""


class RateLimit:
    """Token buckets: a burst of `per_minute` at once, then as many a minute; 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with full buckets."""
        self._per_minute, self._clock = per_minute, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> int:
        """Take one; return 0, or the seconds to wait until there is one."""
        if not self._per_minute:
            return 0
        now = self._clock()
        left, at = self._buckets.pop(key, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - at) * self._per_minute / 60)
        self._buckets[key] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
        return 0 if left >= 1 else math.ceil((1 - left) * 60 / self._per_minute)
