from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.engine.prefixes import PrefixStore, common_length, nearest, to_key

TOKENS = st.lists(st.integers(0, 3), max_size=6)


@given(st.lists(TOKENS), TOKENS)
def test_the_longest_beginning_in_common_is_found(kept: list[list[int]], wanted: list[int]) -> None:
    keys = sorted({to_key(tokens) for tokens in kept})
    longest = max((common_length(key, to_key(wanted)) for key in keys), default=0)
    match = nearest(keys, to_key(wanted))
    assert (match.length if match else 0) == longest


def test_common_beginnings_are_counted_in_tokens() -> None:
    assert common_length(to_key([1, 2, 70_000]), to_key([1, 2, 70_001, 5])) == 2
    assert common_length(to_key([1]), to_key([])) == 0
    assert common_length(to_key([7, 8]), to_key([7, 8, 9])) == 2


def test_a_state_is_found_by_a_longer_prompt_and_by_a_part_of_its_own() -> None:
    store = PrefixStore(1_000)
    store.put(to_key([1, 2, 3, 4]), b"state")
    for tokens, length in (([1, 2, 3, 4, 5], 4), ([1, 2, 9], 2)):
        match = store.find(to_key(tokens))
        assert match is not None
        assert (store.get(match.key), match.length) == (b"state", length)
    assert store.find(to_key([9, 2, 3, 4])) is None


def test_what_was_used_least_recently_goes_first() -> None:
    store = PrefixStore(20)
    first, second, third = (to_key([number]) for number in (1, 2, 3))
    store.put(first, b"x" * 10)
    store.put(second, b"y" * 10)
    store.get(first)
    store.put(third, b"z" * 10)
    assert [key in store for key in (first, second, third)] == [True, False, True]
    assert (store.used, store.evicted, len(store)) == (20, 1, 2)
    assert store.find(second) is None


def test_what_is_to_displace_nothing_takes_room_that_is_free() -> None:
    store = PrefixStore(20)
    first, second, third = (to_key([number]) for number in (1, 2, 3))
    store.put(first, b"x" * 10)
    store.put(second, b"y" * 11, displacing=False)
    store.put(third, b"z" * 10, displacing=False)
    assert [key in store for key in (first, second, third)] == [True, False, True]


def test_what_is_larger_than_the_budget_drives_nothing_out() -> None:
    store = PrefixStore(10)
    store.put(to_key([1]), b"x")
    store.put(to_key([2]), b"y" * 11)
    assert to_key([1]) in store
    assert to_key([2]) not in store


def test_a_state_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        PrefixStore(10).get(to_key([1]))
