from __future__ import annotations

from dataclasses import replace

from bot.differences import MAX_LISTED, compare
from tests.bot.fakes import HOURS, INVOICE, RETURNS


def test_what_was_added_changed_and_removed_is_told_apart() -> None:
    changed = replace(RETURNS, answer="改了")
    difference = compare([RETURNS, HOURS], [changed, INVOICE])
    assert (difference.added, difference.changed, difference.removed) == ([INVOICE], [(RETURNS, changed)], [HOURS])


def test_another_order_is_no_difference() -> None:
    difference = compare([RETURNS, HOURS], [HOURS, RETURNS])
    assert (difference.added, difference.changed, difference.removed) == ([], [], [])


def test_a_long_list_is_cut_and_counted() -> None:
    many = [replace(HOURS, key=f"k{number}") for number in range(MAX_LISTED + 50)]
    shown = compare([], many).to_dict()
    assert (len(shown["added"]), shown["added_count"]) == (MAX_LISTED, MAX_LISTED + 50)
