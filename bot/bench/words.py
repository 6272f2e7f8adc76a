"""What the figures of the model bench are called, in Chinese and English, and how they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

WORDS = {
    "zh": {
        "title": "模型评测",
        "model": "模型",
        "table": "全部数字",
        "speed_and_skill": "快慢与对错",
        "speed_and_skill_note": "横轴：1,024 个词元的提示等首词元的秒数，越左越好；纵轴：FAQ 答对且核对通过的比例。",
        "answers": "答了什么",
        "task": "题目",
        "answer": "回答",
        "result": "结果",
        "right": "对",
        "wrong": "错",
        "passed": "核对通过",
        "not_passed": "核对未通过",
        "absent": "不在本机",
        "failed": "未完成",
    },
    "en": {
        "title": "Models, measured",
        "model": "model",
        "table": "All figures",
        "speed_and_skill": "Speed and right answers",
        "speed_and_skill_note": "Across: seconds to the first token of a 1,024-token prompt (left is better). "
        "Up: share of FAQ questions answered right and passed (higher is better).",
        "answers": "What they answered",
        "task": "task",
        "answer": "answer",
        "result": "result",
        "right": "right",
        "wrong": "wrong",
        "passed": "passed the check",
        "not_passed": "did not pass the check",
        "absent": "absent",
        "failed": "failed",
    },
}


def _megabytes(value: float) -> str:
    return f"{value / 1e6:,.0f}"


def _millions(value: float) -> str:
    return f"{value / 1e6:,.0f}"


def _seconds(value: float) -> str:
    return f"{value:.2f}"


def _a_second(value: float) -> str:
    return f"{value:.1f}"


def _share(value: float) -> str:
    return f"{value:.0%}"


@dataclass(frozen=True)
class Figure:
    """A figure's name in Chinese, in English, short for a column, and how it is written."""

    zh: str
    en: str
    short: str
    write: Callable[[float], str]

    def label(self, language: str) -> str:
        """Return its name in a language."""
        return self.zh if language == "zh" else self.en


FIGURES = {
    "parameters": Figure("参数（文件里的，百万）", "parameters in the file, millions", "par.\nM", _millions),
    "file_bytes": Figure("文件大小（MB）", "file, MB", "file\nMB", _megabytes),
    "load_s": Figure("加载（秒）", "loading, s", "load\ns", _seconds),
    "cold_start_s": Figure("冷启动到第一个词元（秒）", "cold start to the first token, s", "cold\ns", _seconds),
    "peak_bytes": Figure("内存峰值（MB）", "peak memory, MB", "peak\nMB", _megabytes),
    "prompt_speed": Figure("提示（词元/秒）", "prompt tokens/s", "in\ntok/s", _a_second),
    "output_speed": Figure("输出（词元/秒）", "output tokens/s", "out\ntok/s", _a_second),
    "first_1024_p50_s": Figure(
        "1,024 上下文的首词元，p50（秒）", "first token at 1,024, p50, s", "1k\np50 s", _seconds
    ),
    "first_1024_p90_s": Figure(
        "1,024 上下文的首词元，p90（秒）", "first token at 1,024, p90, s", "1k\np90 s", _seconds
    ),
    "first_2048_p50_s": Figure(
        "2,048 上下文的首词元，p50（秒）", "first token at 2,048, p50, s", "2k\np50 s", _seconds
    ),
    "first_2048_p90_s": Figure(
        "2,048 上下文的首词元，p90（秒）", "first token at 2,048, p90, s", "2k\np90 s", _seconds
    ),
    "choices": Figure("中文选择题", "Chinese multiple choice", "multi\nchoice", _share),
    "python": Figure("Python 小程序", "Python tasks", "Py-\nthon", _share),
    "follow_ups": Figure("追问", "follow-ups", "follow\nups", _share),
    "faq_right": Figure("FAQ 答对", "FAQ answers right", "FAQ\nright", _share),
    "faq_passed": Figure("FAQ 核对通过", "FAQ answers that passed the check", "FAQ\npassed", _share),
    "faq_right_and_passed": Figure("FAQ 答对且核对通过", "FAQ answers right and passed", "FAQ\nboth", _share),
}


def written(name: str, value: float | None) -> str:
    """Return a figure as people read it."""
    return "–" if value is None else FIGURES[name].write(value)
