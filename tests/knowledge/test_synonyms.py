from __future__ import annotations

import pytest

from knowledge.synonyms import Synonyms

TEXT = "运费谁出\n运费怎么算\n邮费几块\nwhere is the cash machine\n满 99 包邮"


@pytest.mark.parametrize(
    ("line", "typed", "read"),
    [
        ("运费，驮费，邮费", "驮费多少", "运费多少"),
        ("运费，驮费，邮费", "邮费多少", "邮费多少"),  # the FAQ says so itself
        ("驮费、运费", "驮费多少", "运费多少"),
        ("cash machine, ATM, hole in the wall", "Is there an ATM or hole in the wall?", None),
        ("cash machine, ATM", "atmosphere", "atmosphere"),
        ("彩虹，霓虹", "霓虹", "霓虹"),  # the FAQ knows neither
        ("", "驮费", "驮费"),
        ("，,", "驮费", "驮费"),
    ],
)
def test_words_of_customers_are_read_as_those_of_the_faq(line: str, typed: str, read: str | None) -> None:
    expected = read or "is there an cash machine or cash machine?"
    assert Synonyms([line], TEXT).applied(typed) == expected


def test_the_longest_word_is_read_first() -> None:
    assert Synonyms(["运费，快递", "99，快递费"], TEXT).applied("快递费和快递") == "99和运费"
