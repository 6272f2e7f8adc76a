"""Rasa's REST and callback channels, called as widgets made for Rasa call them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from bot import messages
from connectors.rasa import rest
from knowledge.entries import Entry
from tests.bot.fakes import INVOICE, PAYMENT, RETURNS, ScriptedModel, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.servers import serving, unused_port
from tests.connectors.wecom.test_app import Held

WIDGET = "https://shop.example.com"


def post(address: str, message: Any, sender: Any = "ann", path: str = "rest", **options: Any) -> httpx.Response:
    body = {"sender": sender, "message": message, "metadata": {"page": "/"}}
    return httpx.post(f"{address}/webhooks/{path}/webhook", json=body, timeout=40, **options)


def texts(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [each["text"] for each in response.json()]


class TestRest:
    """The answer is in the reply."""

    @pytest.fixture(autouse=True)
    def _channel(self, site: Site) -> None:
        site.settings = {"channels": {"rest": {}}}

    @pytest.fixture
    def address(self, site: Site) -> Iterator[str]:
        with site.served() as address:
            yield address

    def test_it_is_healthy(self, address: str) -> None:
        assert httpx.get(f"{address}/webhooks/rest/").json() == {"status": "ok"}

    def test_a_question_is_answered_in_a_list(self, address: str) -> None:
        assert post(address, "怎么退货？").json() == [{"recipient_id": "ann", "text": RETURNS.answer}]

    def test_as_a_stream_each_message_is_a_line(self, address: str) -> None:
        response = post(address, "怎么退货？", params={"stream": "true"})
        assert response.headers["content-type"].startswith("text/event-stream")
        assert [json.loads(line)["text"] for line in response.text.splitlines()] == [RETURNS.answer]

    def test_choices_are_buttons_and_a_click_asks(self, address: str, site: Site) -> None:
        site.knowledge.confidence = 0.3
        [offer] = post(address, "那个").json()
        assert offer["text"] == messages.clarify("zh")
        assert [button["title"] for button in offer["buttons"]] == [
            RETURNS.question,
            INVOICE.question,
            PAYMENT.question,
        ]
        site.knowledge.confidence = 0.95
        post(address, offer["buttons"][1]["payload"])
        assert site.knowledge.queries[-1].text == INVOICE.question

    def test_a_sender_has_a_conversation_and_strangers_have_their_own(self, address: str, site: Site) -> None:
        site.knowledge.confidence = 0.3
        post(address, "那个")
        for sender in ("bob", None, "", 7):
            post(address, "2", sender)
        assert [query.text for query in site.knowledge.queries] == ["那个", "2", "2", "2", "2"]
        post(address, "2")
        assert site.knowledge.queries[-1].text == INVOICE.question

    @pytest.mark.parametrize("unasked", ["/session_start", '/greet{"name": "Ann"}', " /get_started "])
    def test_what_a_widget_sends_unasked_is_a_welcome_once(self, address: str, unasked: str) -> None:
        assert texts(post(address, unasked)) == [messages.welcome("zh", "FrontDesk")]
        assert texts(post(address, unasked)) == []

    @pytest.mark.parametrize(("said", "heard"), [("", messages.no_words), ("?" * 3_000, messages.too_long)])
    def test_what_is_no_question_is_said_kindly(self, address: str, said: str, heard: Any) -> None:
        assert texts(post(address, said)) == [heard("zh")]
        assert texts(post(address, None)) == [messages.no_words("zh")]

    @pytest.mark.parametrize("body", ["", "[]", '{"sender": {}}', '{"message": []}', "x" * 2_000_000])
    def test_what_is_no_message_is_refused(self, address: str, body: str) -> None:
        assert httpx.post(f"{address}/webhooks/rest/webhook", content=body).status_code in (400, 413, 422)

    def test_questions_at_the_same_moment_each_get_their_own_answer(self, site: Site) -> None:
        site.knowledge = StubKnowledge(0.95)
        with site.served() as address, ThreadPoolExecutor(8) as pool:
            asked = [("怎么退货？", "ann"), ("怎么退货？", "ann"), ("", "ann"), ("怎么退货？", "bob")] * 2
            replies = list(pool.map(lambda each: texts(post(address, *each)), asked))
        assert replies == [[messages.no_words("zh") if not text else RETURNS.answer] for text, _ in asked]

    def test_what_an_agent_writes_comes_with_the_next_reply(self, address: str, site: Site) -> None:
        assert texts(post(address, "转人工")) == [messages.handed_off("zh")]
        with site.owner(address) as agent:
            [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
            path = f"/api/admin/inbox/{waiting['id']}"
            agent.post(f"{path}/take", json={})
            agent.post(f"{path}/reply", json={"text": "您好，我是 Olga"})
            heard: list[str] = []
            deadline = time.monotonic() + 20
            while not heard:
                heard = texts(post(address, "在吗"))
                assert time.monotonic() < deadline
            assert heard == ["您好，我是 Olga"]
            agent.post(f"{path}/release", json={"to": "bot"})
        assert texts(post(address, "怎么退货？")) == [RETURNS.answer]

    def test_an_answer_that_takes_too_long_comes_with_the_next(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rest, "WAIT_SECONDS", 0.3)
        thinking = threading.Event()
        site.knowledge = StubKnowledge(0.6)
        site.local = ScriptedModel(Held(thinking), "签收后7天内可以申请退货。")  # type: ignore[arg-type]
        with site.served() as address:
            assert texts(post(address, "退货要几天内？")) == []
            thinking.set()
            deadline = time.monotonic() + 20
            heard: list[str] = []
            while not heard:
                heard = texts(post(address, "/session_start"))
                assert time.monotonic() < deadline
        assert "签收后7天内可以申请退货。" in heard[0]

    def test_pages_of_other_sites_are_refused_unless_they_are_allowed(self, address: str, site: Site) -> None:
        refused = post(address, "怎么退货？", headers={"Origin": WIDGET})
        assert (refused.status_code, refused.json()["error"]["type"]) == (403, "origin_not_allowed")
        assert site.knowledge.queries == []

    def test_pages_of_allowed_sites_may_ask(self, site: Site) -> None:
        site.settings = {"channels": {"rest": {}}, "server": {"allowed_origins": [WIDGET]}}
        with site.served() as address:
            asked = {"Origin": WIDGET, "Access-Control-Request-Method": "POST"}
            asked["Access-Control-Request-Headers"] = "content-type"
            preflight = httpx.options(f"{address}/webhooks/rest/webhook", headers=asked)
            reply = post(address, "怎么退货？", headers={"Origin": WIDGET})
        assert preflight.headers["access-control-allow-origin"] == WIDGET
        assert (texts(reply), reply.headers["access-control-allow-origin"]) == ([RETURNS.answer], WIDGET)

    def test_who_asks_too_often_is_told_when_to_come_back(self, site: Site) -> None:
        site.settings = {"channels": {"rest": {}}, "visitors": {"per_visitor_per_minute": 2}}
        with site.served() as address:
            statuses = [post(address, "怎么退货？").status_code for _ in range(3)]
            assert post(address, "怎么退货？", "bob").status_code == 200
        assert statuses == [200, 200, 429]

    def test_with_a_token_only_who_knows_it_may_ask(self, site: Site) -> None:
        site.settings = {"channels": {"rest": {"token": "s3cret"}}, "visitors": {"per_address_per_minute": 1}}
        with site.served() as address:
            assert post(address, "怎么退货？").status_code == 401
            assert post(address, "怎么退货？", params={"token": "wrong"}).status_code == 401
            for _ in range(3):  # a server that speaks for many customers has one address
                assert texts(post(address, "怎么退货？", params={"token": "s3cret"})) == [RETURNS.answer]

    def test_each_channel_has_its_name_in_its_address_and_its_bot(self, site: Site) -> None:
        other = Entry(key="X", question="?", answer="我是另一个", language="zh")
        site.settings = {"channels": {"rest": {}, "second": {"kind": "rest", "bot": "two"}}, "bots": {"two": {}}}
        site.bots = {"two": StubKnowledge(0.95, other)}
        with site.served() as address:
            assert texts(post(address, "怎么退货？", path="second")) == ["我是另一个"]
            with site.owner(address) as admin:
                listed = admin.get("/api/admin/channels").json()["channels"]
                tested = admin.post("/api/admin/channels/second/test").json()
        assert [each["paths"] for each in listed] == [["/webhooks/rest/webhook"], ["/webhooks/second/webhook"]]
        assert tested == {"works": True, "message": "/webhooks/second/webhook"}


class Listener:
    """Whoever Rasa's callback channel calls."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.troubles: list[int] = []

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/hear")
        async def hear(request: Request) -> Response:
            if self.troubles:
                return Response(status_code=self.troubles.pop())
            self.heard.append(await request.json())
            return Response()

        return app

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 30
        while len(self.heard) < count:
            assert time.monotonic() < deadline, self.heard
            time.sleep(0.02)
        return self.heard


class TestCallback:
    """The answer is posted to a fixed address."""

    @pytest.fixture
    def listener(self) -> Iterator[Listener]:
        listener = Listener()
        with serving(listener.app()) as self.url:
            yield listener

    @pytest.fixture
    def address(self, site: Site, listener: Listener) -> Iterator[str]:
        site.settings = {"channels": {"callback": {"url": f"{self.url}/hear"}}}
        with site.served() as address:
            yield address

    def test_it_says_success_and_calls_back(self, address: str, listener: Listener) -> None:
        reply = post(address, "怎么退货？", path="callback")
        assert (reply.status_code, reply.text) == (200, "success")
        assert httpx.get(f"{address}/webhooks/callback/").json() == {"status": "ok"}
        assert listener.wait_for(1) == [{"recipient_id": "ann", "text": RETURNS.answer}]

    def test_it_calls_again_until_somebody_listens(self, address: str, listener: Listener) -> None:
        listener.troubles = [503, 500]
        post(address, "怎么退货？", path="callback")
        assert len(listener.wait_for(1)) == 1

    def test_what_an_agent_writes_is_posted_at_once(self, address: str, site: Site, listener: Listener) -> None:
        post(address, "转人工", path="callback")
        listener.wait_for(1)
        with site.owner(address) as agent:
            [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
            path = f"/api/admin/inbox/{waiting['id']}"
            agent.post(f"{path}/take", json={})
            agent.post(f"{path}/reply", json={"text": "您好"})
            assert listener.wait_for(2)[1] == {"recipient_id": "ann", "text": "您好"}

    def test_an_address_where_nobody_is_shows_on_the_health_page(self, site: Site) -> None:
        site.settings = {"channels": {"callback": {"url": f"http://127.0.0.1:{unused_port()}/"}}}
        with site.served() as address:
            post(address, "怎么退货？", path="callback")
            deadline = time.monotonic() + 20
            while not (problems := httpx.get(f"{address}/readyz").json()["problems"]):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert "cannot be reached" in problems[0]
