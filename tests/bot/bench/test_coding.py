from __future__ import annotations

import pytest

from bot.bench.coding import TASKS, Task, code_of, problem_of

RIGHT = {
    "order_total": "def order_total(items):\n    return sum(price * count for _, price, count in items)",
    "mask_phone": "def mask_phone(number):\n    return number[:3] + '****' + number[7:]",
    "count_words": "import collections\ndef count_words(text):\n    return collections.Counter(text.lower().split())",
    "can_return": "def can_return(days):\n    return 0 <= days <= 7",
    "is_leap_year": "import calendar\ndef is_leap_year(year):\n    return calendar.isleap(year)",
    "second_largest": (
        "def second_largest(numbers):\n    found = sorted(set(numbers))\n"
        "    return found[-2] if len(found) > 1 else None"
    ),
}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_right_program_passes(task: Task) -> None:
    assert problem_of(f"Sure:\n```python\n{RIGHT[task.name]}\n```\nIt works.", task) == ""


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_wrong_program_does_not(task: Task) -> None:
    assert "results are wrong" in problem_of(f"def {task.name}(x):\n    return 'no'", task)


def test_no_program_is_said() -> None:
    assert problem_of("I cannot write programs.", TASKS[0]) == "raised SyntaxError"


def test_the_results_that_are_expected_cannot_be_forged() -> None:
    forged = (
        "class Right:\n    def __eq__(self, other):\n        return True\ndef can_return(days):\n    return Right()"
    )
    task = next(task for task in TASKS if task.name == "can_return")
    assert problem_of(forged, task) == "raised TypeError"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```python\na = 1\n```", "a = 1\n"),
        ("Here:\n```\na = 1\n```\nand\n```python\nb = 2\n```", "a = 1\n"),
        ("```py\na = 1\n(cut off", "a = 1\n(cut off"),
        ("a = 1", "a = 1"),
    ],
)
def test_the_first_block_of_an_answer_is_its_code(answer: str, code: str) -> None:
    assert code_of(answer) == code
