from __future__ import annotations

import pytest

from knowledge.errors import IndexUnavailable
from knowledge.index import base
from knowledge.index.base import Reach, UnreachedIndex
from tests.knowledge.index.contract import VECTORS


@pytest.fixture
def reach() -> Reach:
    return Reach("it", (OSError,))


def fail(reach: Reach) -> None:
    with pytest.raises(IndexUnavailable, match=r"it does not answer: first$"), reach.patiently():
        raise OSError("first\nsecond")


def test_after_a_failure_it_is_left_alone(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "BREAK_SECONDS", 600)
    fail(reach)
    asked = []
    with pytest.raises(IndexUnavailable, match="first"), reach.patiently():
        asked.append(1)
    assert asked == []


def test_after_a_while_it_is_asked_again(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "BREAK_SECONDS", 0)
    fail(reach)
    with reach.patiently():
        pass


def test_an_answer_to_something_else_ends_the_wait(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "BREAK_SECONDS", 600)
    fail(reach)
    with reach.translated():
        pass
    with reach.patiently():
        pass


def test_errors_of_the_program_are_not_translated(reach: Reach) -> None:
    with pytest.raises(KeyError), reach.patiently():
        raise KeyError
    with reach.patiently():
        pass


def test_an_index_that_was_never_reached_says_why() -> None:
    with pytest.raises(IndexUnavailable, match="because"):
        UnreachedIndex("because").search(VECTORS[0], 5)
