"""Against rasa-sdk's own server, and against servers that misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response

from bot.actions.remote import Endpoint, RemoteActions, read_endpoint
from bot.errors import ActionError, SettingsError
from tests.bot.actions.company import action_server, write_actions
from tests.bot.actions.contract import DOMAIN, ActionRunnerContract, tracker
from tests.bot.servers import serving, unused_port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with action_server(write_actions(tmp_path_factory.mktemp("actions"))) as address:
        yield address


@pytest_asyncio.fixture
async def runner(server: str) -> AsyncIterator[RemoteActions]:
    actions = RemoteActions(Endpoint(url=server), 20)
    yield actions
    await actions.close()


@pytest.mark.xdist_group("rasa")
class TestRemoteActions(ActionRunnerContract):
    """Actions on rasa-sdk's server."""

    async def test_the_domain_is_sent_when_it_is_asked_for_and_not_again(self, server: str) -> None:
        actions = RemoteActions(Endpoint(url=server), 20)
        sent: list[bool] = []
        post = actions._post

        async def counted(call: Any) -> Any:
            sent.append("domain" in call)
            return await post(call)

        actions._post = counted  # type: ignore[method-assign]
        domain = {**DOMAIN, "responses": {"utter_weather": [], "utter_new": []}}
        for _ in range(2):
            result = await actions.run("action_shown", tracker(), domain)
            assert "utter_new" in result.responses[0]["text"]
        assert sent == [False, True, False]
        await actions.close()


class Misbehaving:
    """An action server that answers with what it is told to."""

    def __init__(self) -> None:
        self.answer = Response()
        self.seen: list[Request] = []

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/webhook")
        async def webhook(request: Request) -> Response:
            self.seen.append(request)
            return self.answer

        return app


@pytest.fixture
def misbehaving() -> Iterator[tuple[Misbehaving, str]]:
    server = Misbehaving()
    with serving(server.app()) as address:
        yield server, f"{address}/webhook"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "null", "ran nothing"),
        (200, "<html>", "no JSON"),
        (200, "[]", "ran nothing"),
        (400, '{"error": "Invalid body request"}', "Invalid body"),
        (404, '{"error": "No registered action", "action_name": "x"}', "No registered"),
        (449, '{"error": "Missing domain", "action_name": "x"}', "Missing domain"),
        (500, '{"error": "boom", "request_body": {}}', "boom"),
        (502, "Bad gateway", "502"),
    ],
)
async def test_whatever_a_server_says_becomes_an_error_of_ours(
    misbehaving: tuple[Misbehaving, str], status: int, body: str, said: str
) -> None:
    server, address = misbehaving
    server.answer = Response(body, status_code=status, media_type="application/json")
    actions = RemoteActions(Endpoint(url=address), 5)
    with pytest.raises(ActionError, match=said):
        await actions.run("action_x", tracker(), DOMAIN)
    await actions.close()


async def test_what_is_no_event_is_left_out(misbehaving: tuple[Misbehaving, str]) -> None:
    server, address = misbehaving
    server.answer = Response('{"events": ["slot", {"event": "slot"}, null], "responses": null}')
    actions = RemoteActions(Endpoint(url=address), 5)
    result = await actions.run("action_x", tracker(), DOMAIN)
    assert (result.events, result.responses) == ([{"event": "slot"}], [])
    await actions.close()


async def test_a_server_that_is_away_is_an_error_of_ours() -> None:
    for url in (f"http://127.0.0.1:{unused_port()}/webhook", "http://[::"):
        actions = RemoteActions(Endpoint(url=url), 5)
        with pytest.raises(ActionError, match="did not answer"):
            await actions.run("action_x", tracker(), DOMAIN)
        await actions.close()


async def test_rasas_endpoints_file_is_understood(misbehaving: tuple[Misbehaving, str], tmp_path: Path) -> None:
    server, address = misbehaving
    file = tmp_path / "endpoints.yml"
    file.write_text(
        f"action_endpoint:\n  url: {address}\n  token: t0ken\n  headers: {{X-Shop: one}}\n"
        "  basic_auth: {username: rasa, password: secret}\ntracker_store:\n  type: redis\n"
    )
    server.answer = Response('{"events": [], "responses": []}')
    actions = RemoteActions(read_endpoint(str(file)), 5)
    await actions.run("action_x", tracker(), DOMAIN)
    [request] = server.seen
    assert (request.query_params["token"], request.headers["x-shop"]) == ("t0ken", "one")
    assert request.headers["authorization"].startswith("Basic ")
    await actions.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("a: [", "no YAML"),
        ("- a", "has no keys"),
        ("nlg: {url: x}", "names no action_endpoint"),
        ("action_endpoint: {headers: {}}", "names no action_endpoint"),
    ],
)
def test_a_file_of_no_use_is_said(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "endpoints.yml").write_text(content)
    with pytest.raises(SettingsError, match=said):
        read_endpoint(str(tmp_path / "endpoints.yml"))
