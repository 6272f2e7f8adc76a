from __future__ import annotations

from bot.recent import Recent


def test_what_was_put_is_there() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    assert (recent.get("a"), recent.get("b"), len(recent)) == (1, None, 1)


def test_the_one_unused_for_longest_makes_room() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_a_value_that_is_put_again_is_the_newest() -> None:
    recent: Recent[str, int] = Recent(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        recent.put(key, value)
    assert [recent.get(key) for key in "abc"] == [3, None, 4]


def test_nothing_is_kept_where_there_is_no_room() -> None:
    recent: Recent[str, int] = Recent(0)
    recent.put("a", 1)
    assert len(recent) == 0


def test_all_is_forgotten_on_demand() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.clear()
    assert recent.get("a") is None
