"""A home whose server starts in little more than a second: the example FAQ, searched by words only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.scenarios.conftest import SHOP, run

WORDS_ONLY = {"FRONTDESK_MODELS_DIR": "no-models", "FRONTDESK_MODELS__CHAT": ""}


@pytest.fixture(scope="session")
def words_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make it, to be copied."""
    home = tmp_path_factory.mktemp("words")
    result = run(home, "faq", "import", str(SHOP), "--kb", "shop", **WORDS_ONLY)
    assert result.returncode == 0, result.stderr
    return home


@pytest.fixture
def home(words_home: Path, tmp_path: Path) -> Path:
    """Give a copy of it."""
    return Path(shutil.copytree(words_home, tmp_path / "shop"))
