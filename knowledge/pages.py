"""Reports as one HTML file for people: no scripts, no other files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root{color-scheme:light dark;--text:#1b2430;--quiet:#5c6875;--line:#d9dfe6;--back:#fff;--accent:#0f6b5c;
--good:#0f6b5c;--bad:#b3261e;--weak:#8a5a00}
@media(prefers-color-scheme:dark){:root{--text:#e6eaef;--quiet:#a3adb8;--line:#38414c;--back:#151a20;
--accent:#5fc7b3;--good:#5fc7b3;--bad:#ff8a80;--weak:#e0b050}}
body{font:15px/1.6 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;color:var(--text);background:var(--back);
max-width:1100px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:0}h2{font-size:1.15rem;margin-top:2.2rem}.quiet{color:var(--quiet)}
table{border-collapse:collapse;width:100%}td,th{padding:.35rem .6rem;border-bottom:1px solid var(--line);
text-align:start;vertical-align:top;overflow-wrap:anywhere}.number{text-align:end;font-variant-numeric:tabular-nums;
white-space:nowrap}.charts{display:flex;flex-wrap:wrap;gap:2rem}.charts figure{margin:0;max-width:340px}
svg text{fill:var(--quiet);font-size:11px}svg .axis{stroke:var(--line)}svg .ideal{stroke:var(--line);
stroke-dasharray:4 4}svg .curve{stroke:var(--accent);fill:none;stroke-width:2}svg circle{fill:var(--accent)}
.bar{background:var(--accent);height:.7rem;border-radius:3px;min-width:2px}.good{color:var(--good)}
.bad{color:var(--bad)}.weak{color:var(--weak)}
"""


PAGE = """<!doctype html>
<html lang="{lang}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>{style}</style></head>
<body>{body}</body>
</html>
"""


def page(title: str, parts: Iterable[str], language: str) -> str:
    """Return a whole page; `parts` are HTML."""
    return PAGE.format(
        lang="zh-CN" if language == "zh" else "en", title=escape(title), style=STYLE, body="".join(parts)
    )


def section(title: str, body: str) -> str:
    """Return a part of a page under a heading; `body` is HTML."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def table(heads: Sequence[str], rows: Iterable[str], numbers: Sequence[str] = ()) -> str:
    """Return a table of rows of HTML; the columns whose heads are `numbers` are set as numbers."""
    head = "".join(f'<th class="{"number" if name in numbers else ""}">{escape(name)}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
