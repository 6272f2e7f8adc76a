"""The net that catches secrets in logs catches them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.leaks import Leaks

SECRET = "hunter2-hunter2"


def using(request: httpx.Request) -> Leaks:
    leaks = Leaks()
    leaks.note_request(request)
    return leaks


@pytest.mark.parametrize(
    "request_",
    [
        httpx.Request("GET", "http://shop/", headers={"Authorization": f"Bearer {SECRET}"}),
        httpx.Request("GET", "http://shop/", headers={"Cookie": f"frontdesk_session={SECRET}"}),
        httpx.Request("POST", f"http://shop/?token={SECRET}"),
        httpx.Request("POST", "http://shop/", json={"name": "Olga", "password": SECRET}),
    ],
)
def test_what_a_request_proves_with_is_found_in_a_log(request_: httpx.Request, tmp_path: Path) -> None:
    leaks, log = using(request_), tmp_path / "serve.log"
    log.write_text("request path=/\n")
    assert list(leaks.found([log])) == []
    log.write_text(f"request path=/?token={SECRET} status=200\n")
    assert list(leaks.found([log])) == [(SECRET, f"request path=/?token={SECRET} status=200")]


def test_what_is_logged_in_this_process_is_looked_through_too() -> None:
    leaks = Leaks()
    leaks.note_named(
        {"FRONTDESK_DATABASE_URL": f"postgresql://bot:{SECRET}@db/frontdesk", "name": "a long enough name"}
    )
    leaks.keep(None, "info", {"event": "connecting", "to": f"postgresql://bot:{SECRET}@db/frontdesk"})
    leaks.keep(None, "info", {"event": "a long enough name"})
    assert [secret for secret, _ in leaks.found([])] == [SECRET]
