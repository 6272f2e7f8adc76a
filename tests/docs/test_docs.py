"""What the documents say is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli.config import describe_settings
from bot.http.app import create_app
from bot.settings import Settings
from knowledge.importing.files import read_faq_file

ROOT = Path(__file__).parent.parent.parent
READMES = ["README.md", "README.zh-CN.md"]
PAGES = [*READMES, "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def test_the_page_of_settings_is_the_generated_one() -> None:
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == describe_settings()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:bot|knowledge|connectors|migrations|tests|benchmarks|examples|docs)/[\w./-]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", READMES)
def test_every_address_of_the_api_table_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    served = {*create_app(Settings()).openapi()["paths"], "/metrics", "/docs"}
    named = set(re.findall(r"(?:POST |GET |`)(/(?:api|v1|healthz|readyz|metrics|docs)[\w/{}]*)", text))
    assert len(named) >= 9
    assert named - {"/v1", "/api/admin"} <= served


@pytest.mark.parametrize("name", ["shop-zh", "bank-en"])
def test_the_examples_are_complete_and_clean(name: str) -> None:
    report = read_faq_file(ROOT / "examples" / name / "faq.csv")
    assert report.errors == []
    assert len(report.entries) >= (80 if name == "shop-zh" else 40)
    assert all(len(entry.variants) >= 3 for entry in report.entries)
