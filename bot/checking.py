"""What the test set says of a release before it is published: the published one against what is being edited."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import structlog

from bot.published import PublishedKnowledge
from bot.routing import Situation, route
from bot.sections import RoutingSettings
from knowledge.errors import FrontDeskError
from knowledge.evaluation.cases import TestCase, Verdict, evaluate
from knowledge.search import Searcher

log = structlog.get_logger()

Result = Literal["right", "wrong", "unanswered"]


@dataclass(frozen=True)
class Comparison:
    """The verdicts on each question, before and after; before there is none if nothing is published."""

    before: list[Verdict]
    after: list[Verdict]
    bands: RoutingSettings

    def to_dict(self) -> dict[str, Any]:
        """Return counts of right, wrong and unanswered questions, and each question whose result is another."""
        results = [[self._result(verdict) for verdict in verdicts] for verdicts in (self.before, self.after)]
        pairs = zip(self.before, self.after, *results, strict=True) if self.before else ()
        return {
            "total": len(self.after),
            "before": Counter(results[0]) if self.before else None,
            "after": Counter(results[1]),
            "changed": [
                {
                    "question": new.case.question,
                    "key": new.case.keys[0],
                    "before": {"result": was, "found": old.found, "confidence": old.confidence},
                    "after": {"result": becomes, "found": new.found, "confidence": new.confidence},
                }
                for old, new, was, becomes in pairs
                if was != becomes or old.right != new.right
            ],
            "wrong": [
                {"question": verdict.case.question, "key": verdict.case.keys[0], "found": verdict.found}
                for verdict, result in zip(self.after, results[1], strict=True)
                if result == "wrong"
            ],
        }

    def _result(self, verdict: Verdict) -> Result:
        """Say what a customer would have got: without a model, a likely answer is the entry's own words too."""
        step = route(Situation(confidence=verdict.confidence), self.bands)[0]
        if step not in ("direct", "grounded"):
            return "unanswered"
        return "right" if verdict.right else "wrong"


@dataclass
class Check:
    """A comparison on its way; `done` of `total` questions have been asked."""

    total: int
    done: int = 0
    state: Literal["running", "done", "failed"] = "running"
    message: str = ""
    comparison: Comparison | None = None
    task: asyncio.Task[None] | None = None


class Checks:
    """Runs the newest check of each knowledge base in the background."""

    def __init__(self, knowledge: PublishedKnowledge) -> None:
        """Begin with none."""
        self._knowledge = knowledge
        self._checks: dict[str, Check] = {}

    def find(self, knowledge_base: str) -> Check | None:
        """Return the newest check of a knowledge base."""
        return self._checks.get(knowledge_base)

    def start(self, knowledge_base: str, cases: Sequence[TestCase], bands: RoutingSettings) -> Check:
        """Begin to ask the questions of a test set; a check that is running already is returned."""
        running = self._checks.get(knowledge_base)
        if running is not None and running.state == "running":
            return running
        check = self._checks[knowledge_base] = Check(total=2 * len(cases))
        check.task = asyncio.create_task(self._run(check, knowledge_base, cases, bands))
        return check

    async def close(self) -> None:
        """Give up what is running."""
        tasks = [check.task for check in self._checks.values() if check.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, check: Check, knowledge_base: str, cases: Sequence[TestCase], bands: RoutingSettings) -> None:
        try:
            published, edited = self._knowledge.searcher, await self._knowledge.rehearse(knowledge_base)
            before = await self._ask(check, published, cases) if published else []
            check.done = len(cases)
            check.comparison = Comparison(before, await self._ask(check, edited, cases), bands)
            check.state = "done"
        except Exception as error:  # whoever waits for it is told
            log.exception("check failed", knowledge_base=knowledge_base)
            check.state = "failed"
            check.message = str(error) if isinstance(error, FrontDeskError) else "see the server's log"

    async def _ask(self, check: Check, searcher: Searcher, cases: Sequence[TestCase]) -> list[Verdict]:
        already, today = check.done, datetime.now().astimezone().date()

        def report(done: int, _total: int) -> None:
            check.done = already + done

        return await asyncio.to_thread(evaluate, searcher, cases, today=today, on_progress=report)
