"""Draws the pictures of docs/thresholds.md from a report of `frontdesk evaluate`, in both languages.

frontdesk evaluate examples/shop-zh/questions.csv --kb shop --json report.json
python -m docs.tools.thresholds report.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

IMAGES = Path(__file__).parent.parent / "images"
WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 84, 60
STEPS = 20
FEWEST = 30
"""Of fewer questions no share is drawn: it would be chance."""

COLORS = {"right": "#2a9d6f", "other": "#e07b39", "none": "#9aa5ab"}
BANDS = ("#eceff1", "#fff3e0", "#e8f1fb", "#e2f4ec")
FONT = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"

WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "right": "the right entry was found",
        "other": "another entry was found",
        "none": "the FAQ has no answer",
        "confidence": "how sure the bot is",
        "questions": "questions",
        "bands": ("a person or a larger model", "“Did you mean …?”", "worded by the model", "word for word"),
        "histogram": "{count} test questions of the example shop, by how sure the bot was",
        "moving": "If word-for-word answers begin at another border",
        "border": "the border “word for word” (direct)",
        "share": "share of all questions answered word for word",
        "of_these": "share of these that are right",
        "now": "as shipped",
    },
    "zh-CN": {
        "right": "找对了条目",
        "other": "找成了别的条目",
        "none": "FAQ 里没有答案",
        "confidence": "机器人有多大把握",
        "questions": "问题数",
        "bands": ("交给大模型或人工", "“您是不是想问……”", "由模型组织语言", "原文照答"),
        "histogram": "示例店铺的 {count} 个测试问题，按把握大小排开",
        "moving": "把“原文照答”的分界线移到别处会怎样",
        "border": "“原文照答”的分界线（direct）",
        "share": "全部问题里，原文照答的比例",
        "of_these": "照答的里面，答对的比例",
        "now": "出厂设置",
    },
}


class Asked(NamedTuple):
    """A question's confidence, and what was found."""

    confidence: float
    found: str


def read(report: dict[str, Any]) -> list[Asked]:
    """Return the questions of a report."""
    return [Asked(question["confidence"], _found(question)) for question in report["questions"]]


def _found(question: dict[str, Any]) -> str:
    if not question["expected"]:
        return "none"
    return "right" if question["found"][:1] and question["found"][0] in question["expected"] else "other"


def histogram(asked: Sequence[Asked], borders: Sequence[float], language: str) -> str:
    """Draw how many questions there are of each confidence, and how each was met."""
    words = WORDS[language]
    bars = [dict.fromkeys(COLORS, 0) for _ in range(STEPS)]
    for each in asked:
        bars[min(int(each.confidence * STEPS), STEPS - 1)][each.found] += 1
    highest = max(sum(bar.values()) for bar in bars)
    ceiling = -(-highest // 20) * 20
    parts = [_title(words["histogram"].format(count=len(asked)))]
    edges = [0.0, *borders, 1.0]
    for color, label, start, end in zip(BANDS, words["bands"], edges, edges[1:], strict=False):
        parts.append(_rect(_x(start), TOP, _x(end) - _x(start), _plot_height(), color))
        parts.append(_text((_x(start) + _x(end)) / 2, TOP - 8, label, size=12, anchor="middle"))
    parts += _grid([(count / ceiling, str(count)) for count in range(0, ceiling + 1, 20)])
    step = (_x(1) - _x(0)) / STEPS
    for position, bar in enumerate(bars):
        base = 0.0
        for kind, color in COLORS.items():
            height = bar[kind] / ceiling
            parts.append(
                _rect(_x(0) + position * step + 2, _y(base + height), step - 4, height * _plot_height(), color)
            )
            base += height
    parts += [_line(_x(border), TOP, _x(border), _y(0), "#37474f", dash="4 3") for border in borders]
    parts += _percentages([(_x(place), place) for place in edges], words["confidence"])
    parts += _legend([(COLORS[kind], words[kind]) for kind in COLORS])
    return _svg(parts, words["histogram"].format(count=len(asked)))


def moving(asked: Sequence[Asked], border: float, language: str) -> str:
    """Draw what share is answered from a border on, and what share of these is right."""
    words = WORDS[language]
    lowest = 0.5
    places, shares, rights = [], [], []
    for place in (lowest + step / 100 for step in range(51)):
        given = [each for each in asked if each.confidence >= place]
        if len(given) >= FEWEST:
            places.append(place)
            shares.append(len(given) / len(asked))
            rights.append(sum(each.found == "right" for each in given) / len(given))

    def across(place: float) -> float:
        return _x((place - lowest) / (1 - lowest))

    parts = [_title(words["moving"]), _rect(_x(0), TOP, _x(1) - _x(0), _plot_height(), "#fafafa")]
    parts += _grid([(tenth / 5, f"{tenth * 20} %") for tenth in range(6)])
    for values, color in ((shares, "#1f77b4"), (rights, COLORS["right"])):
        points = " ".join(f"{across(place):.1f},{_y(value):.1f}" for place, value in zip(places, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="3"/>')
    parts.append(_line(across(border), TOP, across(border), _y(0), "#37474f", dash="4 3"))
    parts.append(_text(across(border), TOP - 8, words["now"], size=12, anchor="middle"))
    marks = [(across(place), place) for place in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 1.0)]
    parts += _percentages(marks, words["border"])
    parts += _legend([("#1f77b4", words["share"]), (COLORS["right"], words["of_these"])])
    return _svg(parts, words["moving"])


def _plot_height() -> float:
    return HEIGHT - TOP - BOTTOM


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * _plot_height()


def _grid(lines: Sequence[tuple[float, str]]) -> Iterator[str]:
    for share, label in lines:
        yield _line(_x(0), _y(share), _x(1), _y(share), "#cfd8dc")
        yield _text(LEFT - 8, _y(share) + 4, label, size=12, anchor="end")


def _percentages(marks: Sequence[tuple[float, float]], label: str) -> Iterator[str]:
    for x, share in marks:
        yield _text(x, _y(0) + 18, f"{share * 100:.0f} %", size=12, anchor="middle" if share < 1 else "end")
    yield _text((_x(0) + _x(1)) / 2, HEIGHT - 14, label, size=13, anchor="middle")


def _legend(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    place = float(LEFT)
    for color, label in entries:
        yield _rect(place, 42, 12, 12, color)
        yield _text(place + 18, 53, label, size=13)
        place += 40 + sum(14 if ord(character) > 0x2E80 else 7 for character in label)


def _title(text: str) -> str:
    return f'<text x="{LEFT}" y="28" font-size="16" font-weight="600" fill="#263238">{escape(text)}</text>'


def _text(x: float, y: float, text: str, *, size: int, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="#37474f">{escape(text)}</text>'
    )


def _rect(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, color: str, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"{dashed}/>'


def _svg(parts: Sequence[str], title: str) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FONT}" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def pictures(report: dict[str, Any]) -> dict[str, str]:
    """Return every picture by its file's name."""
    bands = report["about"]["bands"]
    borders = [bands["clarify"], bands["grounded"], bands["direct"]]
    asked = read(report)
    drawn = {}
    for language in WORDS:
        ending = "svg" if language == "en" else f"{language}.svg"
        drawn[f"confidence.{ending}"] = histogram(asked, borders, language)
        drawn[f"moving.{ending}"] = moving(asked, bands["direct"], language)
    return drawn


def main() -> None:
    """Write the pictures of a report."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name, drawing in pictures(report).items():
        (IMAGES / name).write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    main()
