"""Requests that schemathesis makes up from the application's own description: none may break it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import shutdown_lifespans

from tests.bot.fakes import ScriptedModel
from tests.bot.http.conftest import Site


@pytest.fixture
def described(site: Site) -> Iterator[Any]:
    site.local = ScriptedModel("好的。")
    yield schemathesis.openapi.from_asgi("/openapi.json", site.app())
    shutdown_lifespans()


def test_no_request_breaks_the_application(described: Any) -> None:
    tried = 0
    for operation in described.get_all_operations():

        @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.ok().as_strategy())
        def try_it(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=[not_a_server_error])

        try_it()
        tried += 1
    assert tried >= 10
