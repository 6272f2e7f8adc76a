"""What the figures and parts of a report are called, in Chinese and English, and how figures are written."""

from __future__ import annotations

WORDS = {
    "zh": {
        "title": "评测报告",
        "figures": "指标",
        "now": "本次",
        "before": "上次",
        "outcomes": "客户得到的结果",
        "reliability": "置信度可信吗",
        "reliability_note": "每个点是置信度相近的一组问题：越靠近对角线，置信度越准。点在线下方，说明过于自信。",
        "risk": "多答一些，错多少",
        "risk_note": "只回答最有把握的那部分问题（横轴），其中答错的比例（纵轴）。越低越好。",
        "confidence": "置信度",
        "right": "答对的比例",
        "coverage": "回答的比例",
        "wrong": "答错的比例",
        "changes": "与上次不同的问题",
        "questions": "全部问题，答错的在前",
        "question": "问题",
        "expected": "应答条目",
        "found": "找到的条目",
        "result": "结果",
        "nothing": "无",
    },
    "en": {
        "title": "Evaluation",
        "figures": "Figures",
        "now": "now",
        "before": "before",
        "outcomes": "What customers got",
        "reliability": "Can the confidence be trusted?",
        "reliability_note": "Each dot is a group of questions of like confidence: below the diagonal it is too sure.",
        "risk": "What answering more would cost",
        "risk_note": "If only the surest questions were answered (across), so many of the answers would be wrong (up).",
        "confidence": "confidence",
        "right": "share right",
        "coverage": "share answered",
        "wrong": "share wrong",
        "changes": "Questions whose result has changed",
        "questions": "All questions, wrong answers first",
        "question": "question",
        "expected": "expected",
        "found": "found",
        "result": "result",
        "nothing": "none",
    },
}
FIGURES = {
    "questions": ("问题数", "questions"),
    "unanswerable": ("其中 FAQ 没有答案的", "of these without an answer in the FAQ"),
    "hit1": ("首位命中率（hit@1）", "right entry first (hit@1)"),
    "hit3": ("前三命中率（hit@3）", "right entry among three (hit@3)"),
    "mrr": ("平均倒数排名（MRR）", "mean reciprocal rank (MRR)"),
    "answered": ("用 FAQ 作答的比例", "answered from the FAQ"),
    "precision": ("其中答对的比例", "of these right"),
    "false_answers": ("没有答案却作答的比例", "answered although nothing answers"),
    "auroc": ("区分有无答案（AUROC）", "AUROC, answerable against not"),
    "recall_of_none": (
        "保留 95% 有答案的问题时，识别出的无答案问题",
        "not-answerable found, keeping 95 % of the others",
    ),
    "aurc": ("风险-覆盖曲线下面积（AURC）", "area under risk-coverage (AURC)"),
    "ece": ("校准误差（ECE）", "calibration error (ECE)"),
    "worded": ("由本地模型措辞的", "worded by the local model"),
    "not_borne_out": ("其中核对未通过、已替换的", "of these not borne out, and replaced"),
    "char_f1": ("与参考答案的字符 F1", "character F1 with the accepted answers"),
    "p50_ms": ("毫秒，中位数", "milliseconds, median"),
    "p90_ms": ("毫秒，90%", "milliseconds, 90 %"),
}
RESULTS = {
    "right": ("答对", "right", "good"),
    "wrong": ("答错", "wrong", "bad"),
    "missed": ("未作答", "missed", "weak"),
    "rightly silent": ("正确地未作答", "rightly silent", "good"),
}
OUTCOMES = {
    "direct": ("直接回答", "direct"),
    "grounded": ("依据作答", "grounded"),
    "clarify": ("澄清", "clarify"),
    "escalated": ("大模型", "escalated"),
    "handoff": ("转人工", "handoff"),
    "refused": ("未能回答", "refused"),
}
WHOLE_NUMBERS = ("questions", "unanswerable", "worded", "not_borne_out", "p50_ms", "p90_ms")
THREE_DIGITS = ("mrr", "auroc", "aurc", "ece")

LESS_IS_BETTER = ("aurc", "ece", "false_answers")
SHARES = tuple(name for name in FIGURES if name not in WHOLE_NUMBERS)
"""The figures between 0 and 1, which a floor may be set for."""


def written(name: str, value: float | None) -> str:
    """Return a figure as people read it."""
    if value is None:
        return "–"
    if name in WHOLE_NUMBERS:
        return f"{value:,.0f}"
    return f"{value:.3f}" if name in THREE_DIGITS else f"{value:.1%}"
