from __future__ import annotations

from bot.models.prefixes import PrefixStore


def test_a_state_belongs_to_exactly_its_tokens() -> None:
    store = PrefixStore(100)
    store.put([1, 2, 3], b"state")
    assert store.get([1, 2, 3]) == b"state"
    assert store.get([1, 2]) is None
    assert store.get([1, 2, 3, 4]) is None
    assert [1, 2, 3] in store


def test_the_state_that_was_unused_for_longest_goes_first() -> None:
    store = PrefixStore(10)
    store.put([1], b"aaaa")
    store.put([2], b"bbbb")
    store.get([1])
    store.put([3], b"cccc")
    assert [[key] in store for key in (1, 2, 3)] == [True, False, True]


def test_the_budget_is_kept() -> None:
    store = PrefixStore(10)
    for number in range(50):
        store.put([number], bytes(number % 7))
        assert store.used <= 10
    assert store.used == sum(len(store.get([number]) or b"") for number in range(50))


def test_a_state_larger_than_the_budget_drives_nothing_out() -> None:
    store = PrefixStore(10)
    store.put([1], b"small")
    store.put([2], bytes(11))
    assert [1] in store
    assert [2] not in store


def test_a_state_is_counted_once() -> None:
    store = PrefixStore(10)
    store.put([1], b"aaaa")
    store.put([1], b"aaaa")
    assert store.used == 4


def test_without_a_budget_nothing_is_kept() -> None:
    store = PrefixStore(0)
    store.put([1], b"a")
    assert [1] not in store
