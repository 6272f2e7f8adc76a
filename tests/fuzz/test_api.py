"""Requests that schemathesis makes up from the application's own description, with everybody's credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st

from bot.accounts import SCOPES
from bot.configuration import EDITABLE
from bot.http.admin import uploads
from tests.bot.fakes import ScriptedModel
from tests.bot.http.conftest import Site
from tests.fuzz.cases import cases, tried

PASSWORD = "correct horse battery"
API_KEY = "sk-the-key-of-a-program"
ENDLESS = "/api/admin/inbox/events"
CALLERS = ("anonymous", "visitor", "program", "viewer", "agent", "editor", "owner", "key")
OPERATIONS = 75

Headers = dict[str, str]


@dataclass
class Office:
    """A served site, and how everybody proves who they are; what a request has ended is begun anew."""

    site: Site
    address: str
    owner: httpx.Client
    made: int = 0
    kept: dict[str, Headers] = field(default_factory=dict)

    def headers(self, caller: str) -> Headers:
        if caller not in self.kept:
            self.kept[caller] = self._make(caller)
        return self.kept[caller]

    def _make(self, caller: str) -> Headers:
        self.made += 1
        name = f"{caller} {self.made}"
        if caller == "anonymous":
            return {}
        if caller == "visitor":
            return _bearer(httpx.post(f"{self.address}/api/visitor", json={}).json()["token"])
        if caller == "program":
            return _bearer(API_KEY)
        if caller == "key":
            body = {"name": name, "scopes": list(SCOPES)}
            return _bearer(self.owner.post("/api/admin/keys", json=body).json()["key"])
        user = {"name": name, "password": PASSWORD}
        self.owner.post("/api/admin/users", json={**user, "role": caller})
        with httpx.Client(base_url=self.address) as client:
            csrf = client.post("/api/admin/login", json=user).json()["csrf"]
            return {"Cookie": f"frontdesk_session={client.cookies['frontdesk_session']}", "X-CSRF-Token": csrf}


def _bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


async def fetch_nothing(url: str) -> tuple[bytes, str]:
    return f"# {url}\n\n{url}".encode(errors="replace"), "page.md"


@pytest.fixture
def office(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Serve a site that calls nobody."""
    monkeypatch.setattr(uploads, "fetch_page", fetch_nothing)
    monkeypatch.setattr("bot.http.admin.access.LOGINS_PER_MINUTE", 0)
    for limit in ("LATE_SECONDS", "SEARCH_SECONDS"):  # the machine may be busy with other tests
        monkeypatch.setattr(f"bot.http.admission.{limit}", 60.0)
    site.local = ScriptedModel("好的。")
    site.settings = {
        "server": {"api_keys": [API_KEY]},
        "visitors": {"per_visitor_per_minute": 0, "per_address_per_minute": 0},
        "remote": {"base_url": "http://127.0.0.1:9/v1"},
        "handoff": {"webhook_url": "http://127.0.0.1:9/"},
    }
    with ExitStack() as stack:
        address = stack.enter_context(site.served())
        yield Office(site, address, stack.enter_context(site.owner(address)))


@pytest.mark.parametrize("caller", CALLERS)
def test_no_request_breaks_the_application(office: Office, caller: str) -> None:
    described = schemathesis.openapi.from_url(f"{office.address}/openapi.json", timeout=120)
    operations = [result.ok() for result in described.get_all_operations()]
    assert len(operations) >= 60
    for operation in operations:
        if operation.path == ENDLESS and caller != "anonymous":
            continue

        @cases(0.4 / len(CALLERS) / OPERATIONS, least=1)
        @given(case=operation.as_strategy())
        def try_it(case: schemathesis.Case) -> None:
            tried(f"requests of {caller}")
            response = case.call(headers=office.headers(caller), timeout=120)
            assert response.status_code < 500, (case.as_curl_command(), response.text)
            if response.status_code == 401:
                office.kept.pop(caller)  # a user may have been deleted, a session ended
            if response.status_code >= 400:
                assert set(response.json()["error"]) - {"reason"} == {"type", "message", "request_id"}

        try_it()


event_ids = st.one_of(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40),
    st.integers().map(str),
    st.integers(-3, 12).map(lambda number: f"TURN:{number}"),
    st.text(st.characters(categories=["Nd"], max_codepoint=0xFF), max_size=40).map(lambda digits: f"TURN:{digits}"),
    st.binary(max_size=20).map(lambda raw: raw.translate(None, bytes([*range(0x20), 0x7F])).decode("latin-1")),
)


def test_no_place_in_a_stream_breaks_it(office: Office) -> None:
    streams = {}

    @cases(0.04)
    @given(event_ids)
    def try_it(event_id: str) -> None:
        tried("places in a stream")
        with httpx.Client(base_url=office.address, timeout=60) as client:
            for turn, whole in list(streams.items()) or [("forgotten", "")]:
                header = event_id.replace("TURN", turn).strip().encode("latin-1")  # no client sends blanks around it
                response = client.get(f"/api/chat/stream/{turn}", headers={"Last-Event-ID": header})
                if response.status_code == 404:  # it is kept for two minutes only
                    streams.clear()
                    answer = client.post("/api/chat", json={"question": "怎么退货？"}).json()
                    streams[answer["turn_id"]] = client.get(f"/api/chat/stream/{answer['turn_id']}").text
                    return
                assert response.status_code in (200, 400)
                if response.status_code == 200:
                    assert whole.endswith(response.text)

    try_it()


EDITABLE_NAMES = [f"{section}.{name}" for section, names in EDITABLE.items() for name in names]
names = st.sampled_from(EDITABLE_NAMES) | st.text(max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_no_setting_breaks_the_application(office: Office) -> None:
    @cases(0.06)
    @given(st.dictionaries(names, values, max_size=3))
    def try_it(changes: dict[str, Any]) -> None:
        tried("settings")
        reply = office.owner.patch("/api/admin/settings", json={"values": changes})
        assert reply.status_code in (200, 400, 409), reply.text
        assert office.owner.get("/api/bot").status_code == 200
        assert office.owner.get("/widget.js").status_code == 200
        if reply.status_code == 200:
            chat = httpx.post(f"{office.address}/api/chat", json={"question": "怎么退货？"}, timeout=60)
            assert chat.status_code == 200, (changes, chat.text)
            office.owner.patch("/api/admin/settings", json={"values": dict.fromkeys(changes)})

    try_it()
