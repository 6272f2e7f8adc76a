"""Writes docs/settings.zh-CN.md, the page of all settings in Chinese.

python -m docs.tools.settings zh > docs/settings.zh-CN.md
"""

from __future__ import annotations

import sys

from bot.cli.config import describe_settings, meanings
from docs.tools.chinese import in_chinese

INTRODUCTION = """# 设置

[English](settings.md)

启动时读取一次：先读当前文件夹里的 `frontdesk.toml`（或 `FRONTDESK_CONFIG` 指定的文件），
再读环境变量；两处都写了的，以环境变量为准。写了不存在的设置会被拒绝，并指出是哪一项。

本页是自动生成的：`python -m docs.tools.settings zh > docs/settings.zh-CN.md`。"""
HEAD = "| 设置 | 默认值 | 环境变量 | 含义 |"


def describe(language: str = "en") -> str:
    """Return the page; the English one is that of `frontdesk config show --markdown`."""
    return {"en": describe_settings, "zh": _in_chinese}[language]()


def _in_chinese() -> str:
    return describe_settings(INTRODUCTION, HEAD, in_chinese("settings", meanings()))


if __name__ == "__main__":
    sys.stdout.write(describe(*sys.argv[1:]))
