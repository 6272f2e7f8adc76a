"""The generated pages are current in both languages."""

from __future__ import annotations

import pytest

from bot.cli.config import meanings
from docs.tools import routes, settings
from docs.tools.chinese import in_chinese
from tests.docs.pages import read

LANGUAGES = [("en", "md"), ("zh", "zh-CN.md")]


@pytest.mark.parametrize(("language", "ending"), LANGUAGES)
def test_the_page_of_settings_is_the_generated_one(language: str, ending: str) -> None:
    assert read(f"docs/settings.{ending}") == settings.describe(language)


@pytest.mark.parametrize(("language", "ending"), LANGUAGES)
def test_the_page_of_addresses_is_the_generated_one(language: str, ending: str) -> None:
    assert read(f"docs/routes.{ending}") == routes.describe(language)


def test_a_chinese_line_that_is_missing_or_superfluous_is_named() -> None:
    english = {**meanings(), "models.new": "Something new."}
    del english["models.chat"]
    with pytest.raises(ValueError, match=r"missing \['models.new'\], superfluous \['models.chat'\]"):
        in_chinese("settings", english)
