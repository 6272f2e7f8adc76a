from __future__ import annotations

from bot.models.engine.drafting import LONGEST, USUAL, Guesser, share_rows


def proportional(rows: int) -> float:
    return float(rows)


def flat(_rows: int) -> float:
    return 1.0


def test_what_followed_before_is_guessed() -> None:
    tokens = [1, 2, 3, 4, 5, 6, 9, 2, 3]
    assert Guesser(tokens).guess(3) == [4, 5, 6]


def test_the_longest_match_counts() -> None:
    tokens = [8, 3, 7, 7, 2, 8, 3, 5, 5, 2, 8, 3]
    assert Guesser(tokens).guess(1) == [5]


def test_nothing_is_guessed_where_nothing_came_before() -> None:
    assert Guesser([1, 2, 3]).guess(4) == []
    assert Guesser([]).guess(4) == []


def test_tokens_that_are_added_are_looked_up_too() -> None:
    tokens = [1, 2]
    guesser = Guesser(tokens)
    assert guesser.guess(2) == []
    tokens += [3, 1, 2]
    assert guesser.guess(2) == [3, 1]


def test_trust_follows_what_becomes_of_guesses_and_returns() -> None:
    guesser = Guesser([])
    for _ in range(20):
        guesser.learn(4, 0)
    low = guesser.trust
    assert low < USUAL / 4
    guesser.learn(0, 0)
    assert low < guesser.trust < USUAL
    for _ in range(20):
        guesser.learn(4, 4)
    assert guesser.trust > USUAL


def test_guesses_that_cost_nothing_are_all_taken() -> None:
    assert share_rows([(0.9, LONGEST)], flat, fixed=1, room=31) == [LONGEST]


def test_guesses_that_cost_as_much_as_a_token_are_not_taken() -> None:
    assert share_rows([(0.9, 8)], proportional, fixed=1, room=31) == [0]


def test_the_more_trusted_answer_gets_more() -> None:
    def four_at_a_time(rows: int) -> float:
        return 1 + -(-rows // 4)

    first, second = share_rows([(0.9, 8), (0.3, 8)], four_at_a_time, fixed=2, room=31)
    assert first > second


def test_there_are_never_more_than_there_is_room_for() -> None:
    assert sum(share_rows([(0.99, 15)] * 4, flat, fixed=4, room=10)) <= 10
    assert share_rows([], flat, fixed=0, room=10) == []


def test_no_room_for_guesses_means_none() -> None:
    """With more answers than OUTPUTS the room is negative, and a slice to a negative place takes nearly all."""
    assert sum(share_rows([(0.9, 15)] * 40, lambda rows: 1.0, fixed=40, room=-8)) == 0
