"""Changing settings over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bot.errors import RemoteModelError
from tests.bot.fakes import ScriptedModel, StubKnowledge
from tests.bot.http.admin.conftest import set_up
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape

Open = Callable[[], TestClient]
SETTINGS = "/api/admin/settings"


def change(client: TestClient, **values: Any) -> dict[str, Any]:
    named = {name.replace("__", "."): value for name, value in values.items()}
    reply = client.patch(SETTINGS, json={"values": named})
    assert reply.status_code == 200, reply.text
    return {f"{each['section']}.{each['name']}": each for each in reply.json()["settings"]}


def test_settings_are_changed_and_the_change_is_written_down(owner: TestClient) -> None:
    settings = change(owner, bot__welcome_zh="欢迎光临", routing__direct=0.9, remote__api_key="sk-secret")
    assert settings["routing.direct"]["value"] == 0.9
    assert settings["routing.direct"]["default"] == 0.85
    assert owner.get("/api/bot").json()["welcome"]["zh"] == "欢迎光临"
    log = owner.get("/api/admin/audit").text
    assert "欢迎光临" in log
    assert "sk-secret" not in log


def test_a_setting_of_no_use_is_refused(owner: TestClient) -> None:
    reply = owner.patch(SETTINGS, json={"values": {"routing.direct": 0.1}})
    assert "routing" in assert_error_shape(reply, 400, "invalid_setting")


def test_a_setting_of_the_file_is_fixed(site: Site, open_client: Open) -> None:
    site.settings = {"routing": {"direct": 0.9}}
    reply = set_up(open_client()).patch(SETTINGS, json={"values": {"routing.direct": 0.8}})
    assert "frontdesk.toml" in assert_error_shape(reply, 409, "fixed")


def test_a_site_that_is_allowed_may_ask_at_once(owner: TestClient) -> None:
    foreign = {"Origin": "https://shop.example"}
    ask = {"question": "怎么退货？"}
    assert_error_shape(owner.post("/api/chat", json=ask, headers=foreign), 403, "origin_not_allowed")
    change(owner, server__allowed_origins=["https://shop.example/"])
    reply = owner.post("/api/chat", json=ask, headers=foreign)
    assert reply.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert (
        "Access-Control-Allow-Origin" not in owner.get("/api/bot", headers={"Origin": "https://evil.example"}).headers
    )


def test_a_sensitive_word_is_not_discussed(owner: TestClient) -> None:
    change(owner, bot__sensitive_words=["博彩"])
    answer = owner.post("/api/chat", json={"question": "你们有 博 - 彩 吗？"}).json()
    assert (answer["outcome"], "不便回答" in answer["answer"]) == ("refused", True)


def test_the_widget_wears_the_chosen_colours(owner: TestClient) -> None:
    before = owner.get("/widget.js")
    change(owner, widget__color="#aa3366", widget__position="left")
    after = owner.get("/widget.js", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert 'const THEME = {"color": "#aa3366", "position": "left"}' in after.text


@pytest.mark.parametrize(
    ("remote", "works", "message"),
    [
        (None, False, "remote.base_url is not set"),
        (ScriptedModel("好"), True, "好"),
        (ScriptedModel(RemoteModelError("the endpoint refused the key")), False, "the endpoint refused the key"),
    ],
)
def test_the_remote_model_can_be_tried(
    site: Site, open_client: Open, remote: ScriptedModel | None, works: bool, message: str
) -> None:
    site.remote = remote
    body = set_up(open_client()).post(f"{SETTINGS}/remote/test").json()
    assert (body["works"], body["message"]) == (works, message)


def test_the_latest_confidences_are_counted_with_their_ratings(site: Site, open_client: Open) -> None:
    site.knowledge.confidence = 0.97
    client = set_up(open_client())
    turns = [client.post("/api/chat", json={"question": "怎么退货？"}).json()["turn_id"] for _ in range(3)]
    client.post("/api/feedback", json={"turn_id": turns[0], "rating": "down"})
    client.post("/api/feedback", json={"turn_id": turns[1], "rating": "up"})
    found = client.get(f"{SETTINGS}/confidence").json()
    assert found["curve"] == []  # nothing is published
    bins = found["bins"]
    assert len(bins) == 20
    assert bins[-1] == {"start": 0.95, "end": 1.0, "questions": 3, "up": 1, "down": 1}
    assert sum(each["questions"] for each in bins) == 3


@pytest.mark.parametrize("role", ["viewer", "agent", "editor"])
def test_only_owners_change_settings(as_role: Callable[[str], TestClient], role: str) -> None:
    reply = as_role(role).patch(SETTINGS, json={"values": {"routing.direct": 0.9}})
    assert_error_shape(reply, 403, "forbidden")


def test_a_start_answers_only_from_the_knowledge_bases_that_were_chosen(new_url: str) -> None:
    site = Site(new_url, StubKnowledge())
    with site.served() as address, site.owner(address) as owner:
        chosen = {"values": {"bot.knowledge_bases": ["tea"]}}
        assert owner.patch(SETTINGS, json=chosen).status_code == 200
    started = Site(new_url, StubKnowledge())
    with started.served():
        assert started.knowledge.loaded_from == ["tea"]
