from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.entries import Entry, content_hash, with_language
from tests.knowledge.fakes import examples

TODAY = date(2026, 5, 1)
DAY = timedelta(days=1)
ENTRY = Entry(key="a", question="怎么退货？", answer="7 天内。")

texts = st.text(st.characters(codec="utf-8"), max_size=20)
entries = st.builds(
    Entry,
    key=texts,
    question=texts,
    answer=texts,
    variants=st.lists(texts, max_size=3).map(tuple),
    language=st.sampled_from(["", "zh", "en"]),
    tags=st.lists(texts, max_size=3).map(tuple),
    status=st.sampled_from(["published", "draft", "disabled"]),
    valid_from=st.none() | st.dates(),
    valid_until=st.none() | st.dates(),
    action=st.none() | texts,
)


@examples
@given(entries)
def test_an_entry_survives_the_way_through_json(entry: Entry) -> None:
    assert Entry.from_dict(json.loads(json.dumps(entry.to_dict()))) == entry


@examples
@given(st.lists(entries, max_size=4, unique_by=lambda entry: entry.key), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_change_their_hash(given_entries: list[Entry], random: object) -> None:
    shuffled = list(given_entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert content_hash(shuffled) == content_hash(given_entries)


@pytest.mark.parametrize(
    "changed",
    [
        replace(ENTRY, answer="8 天内。"),
        replace(ENTRY, variants=("退货",)),
        replace(ENTRY, status="draft"),
        replace(ENTRY, valid_until=TODAY),
        replace(ENTRY, tags=("售后",)),
        replace(ENTRY, action="open_form"),
    ],
)
def test_any_change_changes_the_hash(changed: Entry) -> None:
    assert content_hash([changed]) != content_hash([ENTRY])


@pytest.mark.parametrize(("first", "last", "live"), [(0, 0, True), (-1, 1, True), (1, 2, False), (-2, -1, False)])
def test_both_dates_are_inclusive(first: int, last: int, live: bool) -> None:
    entry = replace(ENTRY, valid_from=TODAY + first * DAY, valid_until=TODAY + last * DAY)
    assert entry.is_live(TODAY) is live


@pytest.mark.parametrize("status", ["draft", "disabled"])
def test_only_published_entries_are_live(status: str) -> None:
    assert not replace(ENTRY, status=status).is_live(TODAY)


def test_an_entry_without_dates_is_live() -> None:
    assert ENTRY.is_live(TODAY)


def test_the_questions_are_the_question_and_its_variants() -> None:
    assert replace(ENTRY, variants=("退货",)).questions == ("怎么退货？", "退货")


def test_a_missing_language_is_found() -> None:
    assert with_language(ENTRY).language == "zh"


def test_a_given_language_is_kept() -> None:
    assert with_language(replace(ENTRY, language="en")).language == "en"
