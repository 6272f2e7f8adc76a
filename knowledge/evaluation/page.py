"""An evaluation as one HTML file for people: no scripts, no other files, charts drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from knowledge.evaluation.report import compare
from knowledge.evaluation.words import FIGURES, OUTCOMES, RESULTS, WORDS, written
from knowledge.pages import page, section, table

SIZE = 260
ROOM = 34


def to_html(report: dict[str, Any], before: dict[str, Any] | None, language: str) -> str:
    """Return the page of a report, in Chinese or English, beside the report before it."""
    t, place = WORDS[language], 0 if language == "zh" else 1
    parts = [
        f"<h1>{escape(t['title'])} · {escape(report['suite'])}</h1>",
        f'<p class="quiet">{escape(_about(report))}</p>',
        section(t["figures"], _figures(report, before, t, place)),
        section(t["outcomes"], _outcomes(report, place)),
        f'<div class="charts">{_reliability(report, t)}{_risk(report, t)}</div>',
    ]
    changes = compare(before, report) if before else []
    if changes:
        parts.append(section(f"{t['changes']} ({len(changes)})", _changes(changes, t, place)))
    parts.append(section(t["questions"], _questions(report["questions"], t, place)))
    return page(t["title"], parts, language)


def _about(report: dict[str, Any]) -> str:
    about = report["about"]
    bands = ", ".join(f"{name} {value:g}" for name, value in about["bands"].items())
    named = [about["at"], about["knowledge_base"], about["settings"], about["embedding"], about["chat"], bands]
    return " · ".join(str(value) for value in named if value)


def _figures(report: dict[str, Any], before: dict[str, Any] | None, t: dict[str, str], place: int) -> str:
    sources = [report, before] if before else [report]
    rows = []
    for name, labels in FIGURES.items():
        values = [source["figures"].get(name) for source in sources]
        if values[0] is not None:
            cells = "".join(f'<td class="number">{written(name, value)}</td>' for value in values)
            rows.append(f"<tr><td>{escape(labels[place])}</td>{cells}</tr>")
    return table(["", t["now"], *([t["before"]] if before else [])], rows, numbers=(t["now"], t["before"]))


def _outcomes(report: dict[str, Any], place: int) -> str:
    total = sum(report["outcomes"].values()) or 1
    rows = [
        f'<tr><td>{escape(labels[place])}</td><td class="number">{count}</td>'
        f'<td style="width:60%"><div class="bar" style="width:{count / total:.1%}"></div></td></tr>'
        for outcome, labels in OUTCOMES.items()
        if (count := report["outcomes"].get(outcome))
    ]
    return table(["", "", ""], rows)


def _reliability(report: dict[str, Any], t: dict[str, str]) -> str:
    dots = "".join(
        f'<circle cx="{_x(confidence):.1f}" cy="{_y(right):.1f}" r="4"><title>{count}: {confidence:.2f} → {right:.2f}'
        "</title></circle>"
        for count, confidence, right in report["reliability"]
    )
    ideal = f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    return _figure(t["reliability"], t["reliability_note"], t["confidence"], t["right"], ideal + dots)


def _risk(report: dict[str, Any], t: dict[str, str]) -> str:
    points = " ".join(f"{_x(coverage):.1f},{_y(risk):.1f}" for coverage, risk in report["risk_coverage"])
    return _figure(t["risk"], t["risk_note"], t["coverage"], t["wrong"], f'<polyline class="curve" points="{points}"/>')


def _figure(title: str, note: str, across: str, up: str, drawing: str) -> str:
    marks = "".join(
        f'<text x="{_x(value):.0f}" y="{SIZE + ROOM - 16}" text-anchor="middle">{value:g}</text>'
        f'<text x="{ROOM - 6}" y="{_y(value) + 4:.0f}" text-anchor="end">{value:g}</text>'
        for value in (0, 0.5, 1)
    )
    axes = (
        f'<path class="axis" fill="none" d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}"/>{marks}'
        f'<text x="{_x(1)}" y="{SIZE + ROOM - 2}" text-anchor="end">{escape(across)}</text>'
        f'<text x="{ROOM}" y="10">{escape(up)}</text>'
    )
    width = SIZE + ROOM + 10
    return (
        f'<figure><h2>{escape(title)}</h2><svg viewBox="0 0 {width} {width}" role="img" aria-label="{escape(title)}">'
        f'{axes}{drawing}</svg><figcaption class="quiet">{escape(note)}</figcaption></figure>'
    )


def _x(value: float) -> float:
    return ROOM + value * SIZE


def _y(value: float) -> float:
    return SIZE - value * (SIZE - 16)


def _result(result: str, place: int) -> str:
    labels = RESULTS[result]
    return f'<span class="{labels[2]}">{escape(labels[place])}</span>'


def _changes(changes: Sequence[dict[str, Any]], t: dict[str, str], place: int) -> str:
    rows = (
        f"<tr><td>{escape(each['question'])}</td>"
        f"<td>{_result(each['before']['result'], place)} {escape(_first(each['before']))}</td>"
        f"<td>{_result(each['after']['result'], place)} {escape(_first(each['after']))}</td></tr>"
        for each in changes
    )
    return table([t["question"], t["before"], t["now"]], rows)


def _questions(questions: Sequence[dict[str, Any]], t: dict[str, str], place: int) -> str:
    order = {name: number for number, name in enumerate(("wrong", "missed", "right", "rightly silent"))}
    rows = (
        f"<tr><td>{escape(each['question'])}</td><td>{escape(', '.join(each['expected']) or t['nothing'])}</td>"
        f'<td>{escape(_first(each))}</td><td class="number">{each["confidence"]:.0%}</td>'
        f"<td>{_result(each['result'], place)}</td></tr>"
        for each in sorted(questions, key=lambda each: (order[each["result"]], -each["confidence"]))
    )
    heads = [t[name] for name in ("question", "expected", "found", "confidence", "result")]
    return table(heads, rows, numbers=(t["confidence"],))


def _first(question: dict[str, Any]) -> str:
    return question["found"][0] if question["found"] else ""
