"""Chatwoot's agent bot, against an account that behaves as Chatwoot's does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from fastapi import Response
from fastapi.responses import JSONResponse

from bot import messages
from tests.bot.fakes import INVOICE, RETURNS
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms.misbehaviour import Trouble, down, too_many
from tests.connectors.platforms.recorder import Post, Recorder

BOT_TOKEN, OWN_TOKEN = "b0t-token", "a-long-enough-secret"


NOBODYS = {"event": "message_created", "message_type": "incoming", "id": None, "conversation": {"status": "pending"}}


class FakeChatwoot(Recorder):
    """One account with conversations; it tells the bot what happens in them."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[int, str] = {}
        self.bot = ""
        self._numbers = count(100)

    def reply(self, post: Post) -> Response:
        if post.headers.get("api_access_token") != BOT_TOKEN:
            return JSONResponse({"error": "Invalid Access Token"}, 401)
        conversation, what = post.path.removeprefix("/api/v1/accounts/3/conversations/").split("/")
        if int(conversation) not in self.statuses:
            return JSONResponse({"error": "Resource could not be found"}, 404)
        if what == "toggle_status":
            self.statuses[int(conversation)] = post.json["status"]
        return JSONResponse({"id": next(self._numbers)})

    def hook(self, event: dict[str, Any], token: str = OWN_TOKEN) -> httpx.Response:
        return httpx.post(f"{self.bot}/channels/chatwoot/webhook", params={"token": token}, json=event, timeout=30)

    def message(self, text: str, conversation: int = 7, kind: str = "incoming", **more: Any) -> dict[str, Any]:
        status = self.statuses.setdefault(conversation, "pending")
        sender = {"id": 1, "name": "Ann", "type": "contact"}
        event = {"event": "message_created", "id": next(self._numbers), "content": text, "message_type": kind}
        about = {"conversation": {"id": conversation, "status": status}, "account": {"id": 3}, "private": False}
        return {**event, **about, "sender": sender, **more}

    def says(self, text: str, conversation: int = 7) -> None:
        assert self.hook(self.message(text, conversation)).status_code == 200

    def written(self, count: int) -> list[dict[str, Any]]:
        """Return what the bot wrote, once there is so much of it."""
        deadline = time.monotonic() + 30
        while len(found := [post.json for post in self.posts if post.path.endswith("/messages")]) < count:
            assert time.monotonic() < deadline, self.posts
            time.sleep(0.02)
        return found

    def until_status(self, status: str, conversation: int = 7) -> None:
        deadline = time.monotonic() + 30
        while self.statuses[conversation] != status:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def chatwoot(site: Site) -> Iterator[FakeChatwoot]:
    fake = FakeChatwoot()
    with serving(fake.app()) as url:
        settings = {"url": f"{url}/", "account": 3, "access_token": BOT_TOKEN, "token": OWN_TOKEN}
        site.settings = {"channels": {"chatwoot": settings}}
        with site.served() as fake.bot:
            yield fake


def test_a_question_is_answered_as_the_bot(chatwoot: FakeChatwoot) -> None:
    chatwoot.says("怎么退货？")
    [said] = chatwoot.written(1)
    assert said == {"content": RETURNS.answer, "message_type": "outgoing", "content_type": "text"}


def test_an_event_that_comes_again_is_answered_once(chatwoot: FakeChatwoot, site: Site) -> None:
    event = chatwoot.message("怎么退货？")
    for _ in range(3):
        assert chatwoot.hook(event).status_code == 200
    chatwoot.says("怎么退货？", 8)
    chatwoot.written(2)
    assert len(site.knowledge.queries) == 2


def test_choices_can_be_clicked(chatwoot: FakeChatwoot, site: Site) -> None:
    site.knowledge.confidence = 0.3
    chatwoot.says("那个")
    [offer] = chatwoot.written(1)
    assert offer["content_type"] == "input_select"
    site.knowledge.confidence = 0.95
    chatwoot.says(offer["content_attributes"]["items"][1]["value"])
    chatwoot.written(2)
    assert site.knowledge.queries[-1].text == INVOICE.question


def test_an_image_is_declined(chatwoot: FakeChatwoot) -> None:
    assert chatwoot.hook(chatwoot.message("", content=None, attachments=[{"file_type": "image"}])).status_code == 200
    assert chatwoot.written(1)[0]["content"] == messages.text_only("zh")


def test_a_person_is_called_by_opening_and_the_bot_is_silent_until_it_is_resolved(
    chatwoot: FakeChatwoot, site: Site
) -> None:
    chatwoot.says("转人工")
    assert chatwoot.written(1)[0]["content"] == messages.handed_off("zh")
    chatwoot.until_status("open")
    opened = {"event": "conversation_opened", "id": 7, "meta": {"assignee": {"name": "Olga"}}}
    chatwoot.hook(opened)
    chatwoot.says("我的订单是 20231123")  # for Olga
    olga = {"name": "Olga", "type": "user"}
    chatwoot.hook(chatwoot.message("马上为您查", kind="outgoing", sender=olga))
    chatwoot.hook(chatwoot.message("是老客户", kind="outgoing", sender=olga, private=True))
    with site.owner(chatwoot.bot) as owner:
        [shown] = owner.get("/api/admin/inbox?state=human").json()["conversations"]
        items = owner.get(f"/api/admin/inbox/{shown['id']}").json()["items"]
    assert shown["agent"] == "Olga"
    assert "马上为您查" in [item["text"] for item in items]
    assert "是老客户" not in [item["text"] for item in items]
    chatwoot.statuses[7] = "pending"
    chatwoot.hook({"event": "conversation_resolved", "id": 7})
    chatwoot.says("怎么退货？")
    assert [said["content"] for said in chatwoot.written(2)][1] == RETURNS.answer


def test_a_conversation_that_an_agent_takes_unasked_is_theirs(chatwoot: FakeChatwoot, site: Site) -> None:
    chatwoot.says("怎么退货？")
    chatwoot.written(1)
    chatwoot.hook({"event": "conversation_status_changed", "id": 7, "status": "open"})
    chatwoot.statuses[7] = "open"
    chatwoot.says("怎么退货？")
    with site.owner(chatwoot.bot) as owner:
        assert len(owner.get("/api/admin/inbox?state=human").json()["conversations"]) == 1
    chatwoot.hook({"event": "conversation_status_changed", "id": 7, "status": "pending"})
    chatwoot.statuses[7] = "pending"
    chatwoot.says("怎么退货？")
    assert len(chatwoot.written(2)) == 2
    assert len(site.knowledge.queries) == 2


def test_the_bots_own_words_and_other_events_are_left_alone(chatwoot: FakeChatwoot, site: Site) -> None:
    own = {"name": "FrontDesk", "type": "agent_bot"}
    for event in (
        chatwoot.message("好的", kind="outgoing", sender=own),
        chatwoot.message("welcome", kind="template"),
        {"event": "webwidget_triggered", "contact": {}},
        {"event": "message_updated", "id": 1},
    ):
        assert chatwoot.hook(event).status_code == 200
    assert site.knowledge.queries == []


@pytest.mark.parametrize("trouble", [down, too_many(1)], ids=["down", "too many"])
def test_an_answer_arrives_once_chatwoot_is_well_again(chatwoot: FakeChatwoot, trouble: Trouble) -> None:
    chatwoot.script.then(trouble, trouble)
    chatwoot.says("怎么退货？")
    assert len(chatwoot.written(1)) == 1


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_who_does_not_know_the_token_is_refused(chatwoot: FakeChatwoot, site: Site, token: str) -> None:
    assert chatwoot.hook(chatwoot.message("怎么退货？"), token).status_code == 401
    assert site.knowledge.queries == []


@pytest.mark.parametrize(
    "event", [{}, {"event": "message_created", "message_type": "incoming"}, {"event": ["?"]}, NOBODYS]
)
def test_what_is_no_event_is_refused_or_left(chatwoot: FakeChatwoot, event: dict[str, Any]) -> None:
    assert chatwoot.hook(event).status_code in (200, 400)


def test_the_test_button_names_the_account(chatwoot: FakeChatwoot, site: Site) -> None:
    with site.owner(chatwoot.bot) as owner:
        assert owner.post("/api/admin/channels/chatwoot/test").json() == {
            "works": True,
            "message": "Chatwoot, account 3",
        }


def test_a_wrong_token_is_said(site: Site) -> None:
    fake = FakeChatwoot()
    with serving(fake.app()) as url:
        settings = {"url": url, "account": 3, "access_token": "wrong", "token": OWN_TOKEN}
        site.settings = {"channels": {"chatwoot": settings}}
        with site.served() as address, site.owner(address) as owner:
            tested = owner.post("/api/admin/channels/chatwoot/test").json()
    assert tested == {"works": False, "message": "Chatwoot does not take the access token"}
