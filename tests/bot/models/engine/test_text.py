from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.engine.text import TextStream


def fed(pieces: list[bytes], stops: tuple[str, ...] = ()) -> list[str]:
    stream = TextStream(stops)
    said = []
    for piece in pieces:
        said.append(stream.feed(piece))
        if stream.stopped:
            break
    return [*said, stream.finish()]


def test_characters_come_whole() -> None:
    first, second = "退".encode()[:2], "退".encode()[2:]
    assert fed([first, second + "货".encode()]) == ["", "退货", ""]


@pytest.mark.parametrize("pieces", [[b"good END bad"], [b"good E", b"ND bad"], [b"good ", b"E", b"N", b"D", b"!"]])
def test_text_ends_before_a_stop_string(pieces: list[bytes]) -> None:
    assert "".join(fed(pieces, ("END",))) == "good "


def test_what_only_begins_like_a_stop_string_is_said() -> None:
    assert fed([b"EN", b"EN"], ("END",)) == ["", "EN", "EN"]


def test_the_first_of_several_stop_strings_counts() -> None:
    assert "".join(fed([b"a--b##c"], ("##", "--"))) == "a"


@given(st.text(), st.lists(st.integers(0, 400)))
def test_text_is_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    data = text.encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert "".join(fed(pieces, ("\x00",))) == text.split("\x00", maxsplit=1)[0]


def test_half_a_character_is_not_shown() -> None:
    """An answer may be cut at its last token, in the middle of a Chinese character or an emoji."""
    stream = TextStream(())
    said = stream.feed("退".encode()) + stream.feed("货".encode()[:2]) + stream.finish()
    assert said == "退"
