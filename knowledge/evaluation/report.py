"""The figures of one evaluation, and what changed since the one before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import SuiteUnreadable
from knowledge.evaluation.cases import Verdict
from knowledge.evaluation.metrics import (
    area_under_risk,
    auroc,
    calibration_error,
    hit_at,
    mean_reciprocal_rank,
    reliability,
    risk_coverage,
)

MAX_POINTS = 200
"""Of a curve, as it is kept and drawn."""

ANSWERED = ("direct", "grounded")
"""Outcomes in which the customer is given an answer of the FAQ."""


@dataclass(frozen=True)
class Judged:
    """A verdict, the outcome that a customer would get, and whether a worded answer was borne out (None: no words).

    `complete` says that the answer holds what it must, `likeness` how near it is to the accepted one (0 to 1).
    """

    verdict: Verdict
    outcome: str
    grounded: bool | None = None
    complete: bool = True
    likeness: float | None = None

    @property
    def answered(self) -> bool:
        """Say whether the customer was given an answer of the FAQ."""
        return self.outcome in ANSWERED

    @property
    def result(self) -> str:
        """Say what the customer got: a right or wrong answer, or none although, or because, there is one."""
        if self.answered:
            return "right" if self.verdict.right and self.complete else "wrong"
        return "missed" if self.verdict.case.keys else "rightly silent"


def summarise(judged: Sequence[Judged]) -> dict[str, float | int | None]:
    """Return the figures; None where there is nothing to count."""
    verdicts = [each.verdict for each in judged]
    answerable = [verdict for verdict in verdicts if verdict.case.keys]
    confidence = np.array([verdict.confidence for verdict in verdicts])
    right = np.array([verdict.right for verdict in verdicts], dtype=np.bool_)
    has_answer = np.array([bool(verdict.case.keys) for verdict in verdicts], dtype=np.bool_)
    others = [each for each in judged if not each.verdict.case.keys]
    answered = [each for each in judged if each.answered]
    ranks = [verdict.rank for verdict in answerable]
    worded = [each for each in judged if each.grounded is not None]
    likeness = [each.likeness for each in answered if each.likeness is not None]
    milliseconds = [verdict.milliseconds for verdict in verdicts]
    kept = np.quantile(confidence[has_answer], 0.05) if has_answer.any() else 0.0
    return {
        "questions": len(judged),
        "unanswerable": len(others),
        "hit1": hit_at(ranks, 1) if ranks else None,
        "hit3": hit_at(ranks, 3) if ranks else None,
        "mrr": mean_reciprocal_rank(ranks) if ranks else None,
        "answered": len(answered) / len(judged) if judged else None,
        "precision": sum(each.result == "right" for each in answered) / len(answered) if answered else None,
        "false_answers": sum(each.answered for each in others) / len(others) if others else None,
        "auroc": auroc(confidence, has_answer) if ranks and others else None,
        "recall_of_none": float(np.mean(confidence[~has_answer] < kept)) if ranks and others else None,
        "aurc": area_under_risk(confidence, right),
        "ece": calibration_error(confidence, right),
        "worded": len(worded) or None,
        "not_borne_out": sum(not each.grounded for each in worded) if worded else None,
        "char_f1": float(np.mean(likeness)) if likeness else None,
        "p50_ms": float(np.quantile(milliseconds, 0.5)) if milliseconds else None,
        "p90_ms": float(np.quantile(milliseconds, 0.9)) if milliseconds else None,
    }


def to_report(name: str, judged: Sequence[Judged], about: dict[str, Any]) -> dict[str, Any]:
    """Return an evaluation as JSON types: figures, curves, and each question."""
    confidence = np.array([each.verdict.confidence for each in judged])
    right = np.array([each.verdict.right for each in judged], dtype=np.bool_)
    points = risk_coverage(confidence, right)
    step = max(1, len(points) // MAX_POINTS)
    return {
        "suite": name,
        "about": about,
        "figures": summarise(judged),
        "outcomes": dict(Counter(each.outcome for each in judged)),
        "results": dict(Counter(each.result for each in judged)),
        "reliability": [[each.count, each.confidence, each.right] for each in reliability(confidence, right)],
        "risk_coverage": [[point.coverage, point.risk] for point in [*points[::step], *points[-1:]]],
        "questions": [
            {
                "question": each.verdict.case.text,
                "expected": list(each.verdict.case.keys),
                "found": list(each.verdict.keys[:3]),
                "confidence": round(each.verdict.confidence, 4),
                "outcome": each.outcome,
                "result": each.result,
                "grounded": each.grounded,
            }
            for each in judged
        ],
    }


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """List the questions of both reports whose result, or whose first entry, is another."""
    earlier = {each["question"]: each for each in before["questions"]}
    changed = []
    for now in after["questions"]:
        was = earlier.get(now["question"])
        if was is not None and (was["result"] != now["result"] or was["found"][:1] != now["found"][:1]):
            changed.append({"question": now["question"], "expected": now["expected"], "before": was, "after": now})
    return changed


def read_report(path: Path) -> dict[str, Any]:
    """Read a report that was saved; raises SuiteUnreadable if it is none."""
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        report["figures"], report["questions"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SuiteUnreadable(f"{path} is no report of an evaluation") from error
    return report
