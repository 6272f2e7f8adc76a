"""What runs actions, and what they say: as in the exchange between Rasa and its action server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Event = dict[str, Any]
"""An event of Rasa's as JSON, such as {"event": "slot", "name": …, "value": …}."""


@dataclass(frozen=True)
class ActionResult:
    """What an action did: the events that it wants, and what it says."""

    events: Sequence[Event]
    responses: Sequence[Mapping[str, Any]]


class ActionRunner(Protocol):
    """Runs actions by their names."""

    def offers(self, name: str) -> bool:
        """Say whether it may have such an action."""
        ...

    async def run(self, name: str, tracker: Mapping[str, Any], domain: Mapping[str, Any]) -> ActionResult:
        """Run an action for a conversation, which is given as Rasa's tracker.

        Raises:
            ActionError: it is not there, or it failed.
            ActionDeclined: it leaves the answer to others.
        """
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...
