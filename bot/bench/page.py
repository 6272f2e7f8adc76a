"""A report of the model bench as one HTML file, and as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from bot.bench.running import Row
from bot.bench.words import FIGURES, WORDS, written
from knowledge.pages import page, section, table

CHARTS = (
    "output_speed",
    "prompt_speed",
    "first_1024_p50_s",
    "first_2048_p90_s",
    "cold_start_s",
    "peak_bytes",
    "faq_right_and_passed",
    "faq_right",
    "faq_passed",
    "choices",
    "follow_ups",
    "python",
)
WIDTH, HEIGHT, ROOM = 640, 300, 44
LABEL_ROOM = 260
SHOWN_CHARS = 600


def describe(about: dict[str, Any]) -> str:
    """Return when, where and with what was measured, in one line."""
    return (
        f"{about['at']} · {about['processor']}, cores: {about['cores']}, threads: {about['threads']}, load average "
        f"before: {about['load_average']} · llama-cpp-python {about['llama_cpp_python']} · {about['choices']}, "
        f"{about['faq']}, questions of a kind: {about['questions'] or 'all'}, repeats: {about['repeats']}"
    )


def to_markdown(report: dict[str, Any]) -> str:
    """Return the figures as a table with a row for each model."""
    heads = ["model", *(figure.en for figure in FIGURES.values())]
    lines = [describe(report["about"]), "", f"| {' | '.join(heads)} |", f"| --- {'| ---: ' * len(FIGURES)}|"]
    for row in report["models"]:
        cells = [written(name, row["figures"].get(name)) for name in FIGURES]
        note = f" ({row['status']}: {row['reason']})" if row["reason"] else ""
        model = f"{row['model']}{note}".replace("|", "\\|")
        lines.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def to_html(report: dict[str, Any], language: str) -> str:
    """Return the page of a report, in Chinese or English."""
    t = WORDS[language]
    measured = [row for row in report["models"] if row["status"] == "measured"]
    charts = [section(FIGURES[name].label(language), _bars(name, measured)) for name in CHARTS]
    parts = [
        f"<h1>{escape(t['title'])}</h1>",
        f'<p class="quiet">{escape(describe(report["about"]))}</p>',
        section(t["table"], _table(report["models"], t, language)),
        section(t["speed_and_skill"], _scatter(measured, t, language)),
        *charts,
        *(_answers(row, t) for row in measured),
    ]
    return page(t["title"], parts, language)


def _table(rows: Sequence[Row], t: dict[str, str], language: str) -> str:
    heads = [t["model"], *(figure.label(language) for figure in FIGURES.values())]
    return f'<div style="overflow-x:auto;font-size:.8rem">{table(heads, (_line(row, t) for row in rows))}</div>'


def _line(row: Row, t: dict[str, str]) -> str:
    """Return a model's figures as a row, and what is to be said of it as another."""
    figures = "".join(f'<td class="number">{written(name, row["figures"].get(name))}</td>' for name in FIGURES)
    line = f'<tr><td style="min-width:11rem">{escape(row["model"])}</td>{figures}</tr>'
    if row["reason"]:
        reason = f"{t.get(row['status'], '')} {row['reason']}"
        line += f'<tr><td></td><td class="weak" colspan="{len(FIGURES)}">{escape(reason)}</td></tr>'
    return line


def _bars(name: str, rows: Sequence[Row]) -> str:
    known = [(row["model"], row["figures"][name]) for row in rows if row["figures"].get(name) is not None]
    longest = max((value for _, value in known), default=0) or 1
    lines = [
        f'<tr><td style="width:{LABEL_ROOM}px">{escape(model)}</td><td class="number">{written(name, value)}</td>'
        f'<td style="width:60%"><div class="bar" style="width:{value / longest:.1%}"></div></td></tr>'
        for model, value in known
    ]
    return table(["", "", ""], lines)


def _scatter(rows: Sequence[Row], t: dict[str, str], language: str) -> str:
    across, up = "first_1024_p50_s", "faq_right_and_passed"
    known = [row for row in rows if row["figures"].get(across) is not None and row["figures"].get(up) is not None]
    longest = max((row["figures"][across] for row in known), default=1.0) * 1.1
    base, right = HEIGHT - ROOM, WIDTH - ROOM
    dots = ""
    for row in known:
        x = ROOM + row["figures"][across] / longest * (right - ROOM)
        y = base - row["figures"][up] * (base - ROOM)
        anchor = "end" if x > WIDTH / 2 else "start"
        dots += (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"/><text x="{x + (-9 if anchor == "end" else 9):.1f}" '
            f'y="{y - 8:.1f}" text-anchor="{anchor}">{escape(row["model"])}</text>'
        )
    marks = "".join(
        f'<text x="{ROOM - 6}" y="{base - share * (base - ROOM) + 4:.0f}" text-anchor="end">{share:.0%}</text>'
        f'<text x="{ROOM + share * (right - ROOM):.0f}" y="{base + 18}" text-anchor="middle">'
        f"{share * longest:.1f}</text>"
        for share in (0, 0.5, 1)
    )
    axes = f'<path class="axis" fill="none" d="M{ROOM} {ROOM}V{base}H{right}"/>'
    titles = (
        f'<text x="{right}" y="{HEIGHT - 8}" text-anchor="end">{escape(FIGURES[across].label(language))}</text>'
        f'<text x="{ROOM}" y="{ROOM - 14}">{escape(FIGURES[up].label(language))}</text>'
    )
    return (
        f'<figure style="margin:0"><svg viewBox="0 0 {WIDTH} {HEIGHT}" style="max-width:{WIDTH}px" role="img" '
        f'aria-label="{escape(t["speed_and_skill"])}">{axes}{marks}{titles}{dots}</svg>'
        f'<figcaption class="quiet">{escape(t["speed_and_skill_note"])}</figcaption></figure>'
    )


def _answers(row: Row, t: dict[str, str]) -> str:
    """Return what a model answered, folded away."""
    lines = [
        f"<tr><td>{escape(kind)}</td><td>{escape(each.get('question') or each['task'])}</td>"
        f"<td>{escape(each['answer'][:SHOWN_CHARS])}</td><td>{'<br>'.join(_results(each, t))}</td></tr>"
        for kind, tried in row["answers"].items()
        for each in tried
    ]
    inside = table(["", t["task"], t["answer"], t["result"]], lines)
    return f"<details><summary>{escape(t['answers'])}: {escape(row['model'])}</summary>{inside}</details>"


def _results(tried: dict[str, Any], t: dict[str, str]) -> Iterator[str]:
    right = tried["right"] if "right" in tried else not tried["problem"]
    yield f'<span class="{"good" if right else "bad"}">{escape(t["right"] if right else t["wrong"])}</span>'
    if "passed" in tried:
        yield escape(t["passed" if tried["passed"] else "not_passed"])
    if tried.get("problem"):
        yield escape(tried["problem"])
