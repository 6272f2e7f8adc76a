from __future__ import annotations

import inspect
import re
from types import ModuleType

import httpx
import openai
import pytest

import bot.errors
import knowledge.errors
from bot.errors import ModelBusy, RemoteModelError
from bot.models.remote import translated
from knowledge.errors import FrontDeskError


def classes_of(module: ModuleType) -> list[type]:
    return [member for _, member in inspect.getmembers(module, inspect.isclass) if member.__module__ == module.__name__]


def drawn_tree() -> dict[str, str]:
    """Return each class that is drawn, with the class that it hangs from."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in inspect.getdoc(knowledge.errors).splitlines():  # type: ignore[union-attr]
        match = re.match(r"(?P<branch>(?:[│ ]   )*(?:├── |└── )?)(?P<name>[A-Z]\w+)(?:\s{2,}|$)", line)
        if match:
            depth = len(match["branch"]) // 4
            del path[depth:]
            parents[match["name"]] = path[-1] if path else "Exception"
            path.append(match["name"])
    return parents


@pytest.mark.parametrize("error", [*classes_of(knowledge.errors), *classes_of(bot.errors)], ids=lambda e: e.__name__)
def test_an_exception_hangs_where_the_tree_is_drawn(error: type) -> None:
    assert issubclass(error, FrontDeskError)
    assert drawn_tree()[error.__name__] == error.__base__.__name__  # type: ignore[union-attr]


def test_nothing_is_drawn_that_does_not_exist() -> None:
    names = {error.__name__ for error in [*classes_of(knowledge.errors), *classes_of(bot.errors)]}
    assert set(drawn_tree()) == names


def all_below(error: type) -> list[type]:
    return [error, *(below for child in error.__subclasses__() for below in all_below(child))]


def public(error: type) -> list[type]:
    return [below for below in all_below(error) if not below.__name__.startswith("_")]


@pytest.mark.parametrize(
    "foreign", [*public(openai.OpenAIError), *public(httpx.HTTPError)], ids=lambda error: error.__name__
)
def test_what_the_openai_client_raises_becomes_ours_with_its_cause(foreign: type[Exception]) -> None:
    raised = foreign.__new__(foreign)
    raised.status_code = 418  # type: ignore[attr-defined]
    with pytest.raises(RemoteModelError) as caught, translated():
        raise raised
    assert caught.value.__cause__ is raised


def test_what_is_ours_already_passes_the_border_untouched() -> None:
    ours = RemoteModelError("ours")
    with pytest.raises(RemoteModelError) as caught, translated():
        raise ours
    assert caught.value is ours


def test_a_full_queue_says_when_to_come_back() -> None:
    assert ModelBusy(4, 12).retry_after == 12
    assert "4 answers" in str(ModelBusy(4, 12))
