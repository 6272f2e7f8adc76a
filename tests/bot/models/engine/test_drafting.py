from __future__ import annotations

from bot.models.engine.drafting import ANSWERS, LONGEST, USUAL, Guesser, LastAnswers, share_rows


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


def test_what_an_earlier_answer_said_counts_before_what_the_prompt_says() -> None:
    assert Guesser([1, 2, 3, 4, 2, 3], earlier=[9, 2, 3, 7, 8]).guess(2) == [7, 8]


def test_a_longer_match_counts_wherever_it_is() -> None:
    assert Guesser([1, 2, 3, 4, 1, 2, 3], earlier=[9, 2, 3, 7]).guess(1) == [4]


def test_where_an_earlier_answer_ends_the_prompt_is_looked_up() -> None:
    assert Guesser([2, 3, 4, 2, 3], earlier=[9, 2, 3]).guess(1) == [4]


def test_the_last_answer_of_each_beginning_is_remembered_with_what_stood_before_it() -> None:
    answers = LastAnswers()
    answers.remember(b"a", [1, 2, 3, 4, 5, 6, 7], answer=2)
    answers.remember(b"b", [8, 9], answer=1)
    assert (answers.of(b"a"), answers.of(b"b"), answers.of(b"c")) == ([2, 3, 4, 5, 6, 7], [8, 9], [])
    answers.remember(b"a", [1, 2, 3, 4, 0], answer=1)
    assert answers.of(b"a") == [1, 2, 3, 4, 0]


def test_beginnings_that_nobody_asks_for_are_forgotten() -> None:
    answers = LastAnswers()
    for number in range(ANSWERS):
        answers.remember(str(number).encode(), [number], answer=1)
    answers.remember(b"0", [0], answer=1)
    answers.remember(b"new", [1], answer=1)
    assert (answers.of(b"0"), answers.of(b"1"), answers.of(b"new")) == ([0], [], [1])


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
