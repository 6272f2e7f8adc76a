"""The text of an answer, from the bytes of its tokens: whole characters, and nothing from a stop string on."""

from __future__ import annotations

import codecs


class TextStream:
    """Takes bytes, gives text that may be shown; holds back what may become a stop string."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        """Start empty."""
        self._stops = stops
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """Take the next bytes; return the text that they complete."""
        self._held += self._decoder.decode(data)
        ends = [self._held.index(stop) for stop in self._stops if stop in self._held]
        if ends:
            self.stopped = True
            return self._held[: min(ends)]
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        ready, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return ready

    def finish(self) -> str:
        """Return what was held back, when nothing more comes; half a character is nothing."""
        return "" if self.stopped else self._held


def _overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of `text` begin `stop`."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
