"""A site with channels, around a desk of stand-ins."""

from __future__ import annotations

import pytest

from tests.bot.fakes import StubKnowledge
from tests.bot.http.conftest import Site


@pytest.fixture
def site(new_url: str) -> Site:
    """Give a site whose knowledge is certain."""
    return Site(new_url, StubKnowledge())
