"""Lines as SVG, for the benchmarks' pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]
"""Seconds, or another place, and a value."""

WIDTH, HEIGHT, ROOM = 760, 200, 52
COLOURS = ("var(--accent)", "var(--weak)", "var(--bad)", "var(--quiet)")


def lines(title: str, series: Mapping[str, Points], marks: Mapping[float, str] | None = None, unit: str = "s") -> str:
    """Return a figure of named lines from zero up; `marks` are places with a name, `unit` is that of the places."""
    end = max((x for points in series.values() for x, _ in points), default=0) or 1
    top = 1.1 * max((y for points in series.values() for _, y in points), default=0) or 1

    def place(x: float, y: float) -> str:
        return f"{ROOM + x / end * (WIDTH - 2 * ROOM):.1f},{HEIGHT - 24 - y / top * (HEIGHT - 48):.1f}"

    drawing = "".join(
        f'<text x="{ROOM - 6}" y="{place(0, value).split(",")[1]}" text-anchor="end">{value:,.0f}</text>'
        for value in (0, top / 2, top)
    )
    drawing += "".join(
        f'<text x="{place(value, 0).split(",")[0]}" y="{HEIGHT - 6}" text-anchor="middle">{value:,.1f} {unit}</text>'
        for value in (0, end / 2, end)
    )
    for moment, name in (marks or {}).items():
        x = place(moment, 0).split(",")[0]
        drawing += (
            f'<line class="ideal" x1="{x}" x2="{x}" y1="20" y2="{HEIGHT - 24}"/><text x="{x}" y="14">{name}</text>'
        )
    for colour, points in zip(COLOURS, series.values(), strict=False):
        path = " ".join(place(x, y) for x, y in points)
        drawing += f'<polyline points="{path}" style="fill:none;stroke:{colour};stroke-width:2"/>'
    key = " ".join(
        f'<span style="color:{colour}">■</span> {escape(name)}' for colour, name in zip(COLOURS, series, strict=False)
    )
    return (
        f'<figure style="margin:0"><h2>{escape(title)}</h2><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{drawing}</svg><figcaption class="quiet">{key}</figcaption></figure>'
    )
