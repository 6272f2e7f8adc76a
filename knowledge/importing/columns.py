"""Which column means what: header names in Chinese and English, and tables without a header."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.importing.readers import Row

FIELDS: dict[str, tuple[str, ...]] = {
    "key": ("id", "key", "entryid", "编号", "序号", "标识"),
    "question": ("question", "q", "title", "standardquestion", "问题", "标准问", "标准问题", "标准问法", "提问"),
    "variants": (
        "variants", "variant", "similarquestions", "similarquestion", "similar", "alternatives", "alsoasked",
        "相似问", "相似问题", "相似问法", "扩展问", "扩展问法", "其他问法",
    ),
    "answer": ("answer", "a", "response", "reply", "答案", "回答", "回复", "答复", "标准答案", "答案内容"),
    "tags": ("tags", "tag", "category", "标签", "分类", "类别"),
    "language": ("language", "lang", "语言"),
    "status": ("status", "状态"),
    "valid_from": ("validfrom", "startdate", "生效日期", "生效时间", "开始日期"),
    "valid_until": ("validuntil", "validto", "enddate", "失效日期", "失效时间", "截止日期", "结束日期"),
    "action": ("action", "动作"),
}  # fmt: skip
_FIELD_OF = {name: field for field, names in FIELDS.items() for name in names}
_SEPARATORS = re.compile(r"[\s_\-:：*（）()]+")
_ID = re.compile(r"[A-Za-z0-9_.#-]{1,40}")


@dataclass(frozen=True)
class Columns:
    """Where each field stands; `names` are the headings as the file has them."""

    positions: dict[str, int]
    names: dict[str, str]
    ignored: tuple[str, ...]
    rows: list[Row]


def find_columns(rows: list[Row]) -> Columns:
    """Read the header row, or guess the columns of a table that has none."""
    rows = [row for row in rows if any(row.cells)]
    if not rows:
        return Columns({}, {}, (), [])
    header = rows[0]
    fields = [_FIELD_OF.get(_SEPARATORS.sub("", cell).lower()) for cell in header.cells]
    if "question" in fields or "answer" in fields:
        positions = {field: fields.index(field) for field in fields if field}
        names = {field: header.cells[position] for field, position in positions.items()}
        ignored = tuple(cell for cell, field in zip(header.cells, fields, strict=True) if cell and not field)
        return Columns(positions, names, ignored, rows[1:])
    positions = _guess(rows)
    names = {field: f"{position + 1} ({field})" for field, position in positions.items()}
    return Columns(positions, names, (), rows)


def _guess(rows: list[Row]) -> dict[str, int]:
    width = max(len(row.cells) for row in rows)
    if width < 2:
        return {"question": 0}
    if width == 2:
        return {"question": 0, "answer": 1}
    first = [row.cells[0] for row in rows]
    if len(set(first)) == len(first) and all(_ID.fullmatch(cell) for cell in first):
        return {"key": 0, "question": 1, "answer": 2}
    return {"question": 0, "variants": 1, "answer": 2}
