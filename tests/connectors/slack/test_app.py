"""The Slack app against a workspace that behaves as Slack does, over HTTP and over Socket Mode."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from bot import messages
from connectors.slack import app as slack_app
from knowledge.entries import Entry
from tests.bot.fakes import INVOICE, PAYMENT, RETURNS, ScriptedModel, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms import slack
from tests.connectors.platforms.misbehaviour import down, says, too_many
from tests.connectors.platforms.slack import AGENTS, DIRECT, PUBLIC, FakeSlack, labels_of, text_of
from tests.connectors.wecom.conftest import Company
from tests.connectors.wecom.test_app import Held

LONG = Entry(key="L", question="长", answer="".join(f"第{n:04}句话在这里。" for n in range(900)), language="zh")


@pytest.fixture
def workspace() -> Iterator[FakeSlack]:
    fake = FakeSlack()
    with serving(fake.app()) as fake.address:
        yield fake


@pytest.fixture
def prepared(workspace: FakeSlack, site: Site) -> Site:
    settings = {"bot_token": slack.TOKEN, "signing_secret": slack.SECRET, "agents_channel": AGENTS}
    site.settings = {"channels": {"slack": {**settings, "api": f"{workspace.address}/api/"}}}
    return site


@pytest.fixture
def site_address(prepared: Site, workspace: FakeSlack) -> Iterator[str]:
    with prepared.served() as workspace.bot:
        yield workspace.bot


def until(happened: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def feedback_of(owner: httpx.Client) -> tuple[int, int]:
    counted = owner.get("/api/admin/statistics").json()["days"][-1]
    return counted["up"], counted["down"]


def test_slack_may_prove_the_address(workspace: FakeSlack, site_address: str) -> None:
    reply = workspace.deliver({"type": "url_verification", "challenge": "3eZbrw1a", "token": "t"})
    assert (reply.status_code, reply.json()) == (200, {"challenge": "3eZbrw1a"})


def test_a_direct_message_is_answered_with_buttons(workspace: FakeSlack, site_address: str) -> None:
    assert workspace.deliver(workspace.says("怎么退货？")).status_code == 200
    workspace.wait(lambda: bool(workspace.messages and labels_of(workspace.messages[0])))  # it may be shown in parts
    [message] = workspace.messages
    assert (message["channel"], text_of(message), message.get("thread_ts")) == (DIRECT, RETURNS.answer, None)
    assert labels_of(message) == ["👍", "👎", "转人工"]
    assert message["text"] == RETURNS.answer


def test_a_mention_is_answered_in_a_thread_that_goes_on_for_who_asked(
    workspace: FakeSlack, prepared: Site, site_address: str
) -> None:
    asked = workspace.mentions("怎么退货？")
    workspace.deliver(asked)
    [message] = workspace.shown(1)
    thread = asked["event"]["ts"]
    assert (message["channel"], message["thread_ts"]) == (PUBLIC, thread)
    workspace.deliver(workspace.says("我在这里说别的", "UX", PUBLIC, thread_ts=thread))
    workspace.deliver(workspace.says("群里的闲聊", "UA", PUBLIC))
    workspace.deliver(workspace.says(f"<@{slack.BOT_USER}> 又提到", "UA", PUBLIC, thread_ts=thread))
    workspace.deliver(workspace.says("怎么开发票？", "UA", PUBLIC, thread_ts=thread))
    assert workspace.shown(2)[1]["thread_ts"] == thread
    assert [query.text for query in prepared.knowledge.queries] == ["怎么退货？", "怎么开发票？"]


def test_each_thread_is_a_conversation(workspace: FakeSlack, prepared: Site, site_address: str) -> None:
    prepared.knowledge.confidence = 0.3
    workspace.deliver(workspace.says("那个", thread_ts="1.1"))
    workspace.shown(1)
    prepared.knowledge.confidence = 0.95
    workspace.deliver(workspace.says("2", thread_ts="2.2"))
    workspace.shown(2)
    workspace.deliver(workspace.says("2", thread_ts="1.1"))
    workspace.shown(3)
    assert [query.text for query in prepared.knowledge.queries] == ["那个", "2", INVOICE.question]
    assert [message["thread_ts"] for message in workspace.messages] == ["1.1", "2.2", "1.1"]


def test_entries_to_choose_from_are_buttons(workspace: FakeSlack, prepared: Site, site_address: str) -> None:
    prepared.knowledge.confidence = 0.3
    workspace.deliver(workspace.says("那个"))
    [offer] = workspace.shown(1)
    assert labels_of(offer) == [RETURNS.question, INVOICE.question, PAYMENT.question, "转人工"]
    prepared.knowledge.confidence = 0.95
    assert workspace.deliver(workspace.clicks(offer, INVOICE.question), form="payload").status_code == 200
    workspace.shown(2)
    assert prepared.knowledge.queries[-1].text == INVOICE.question


def test_a_thumb_becomes_feedback_and_is_thanked_for(workspace: FakeSlack, prepared: Site, site_address: str) -> None:
    workspace.deliver(workspace.says("怎么退货？"))
    [message] = workspace.shown(1)
    workspace.deliver(workspace.clicks(message, "👎"), form="payload")
    workspace.wait(lambda: workspace.responses)
    assert workspace.responses[0]["replace_original"] is False
    with Company(None, prepared, site_address).owner() as owner:  # type: ignore[arg-type]
        assert feedback_of(owner) == (0, 1)


def test_an_answer_grows_in_one_message(workspace: FakeSlack, prepared: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_app, "INTERVAL_SECONDS", 0.0)
    pauses = [threading.Event(), threading.Event()]
    prepared.knowledge = StubKnowledge(0.6)
    words = [Held(pauses[0]), "签收后7天内可以申请退货，", "运费12元", Held(pauses[1]), "由买家承担。"]
    prepared.local = ScriptedModel(*words)
    with prepared.served() as workspace.bot:
        workspace.deliver(workspace.says("退货要几天内？"))
        pauses[0].set()
        [message] = workspace.shown(1)
        assert text_of(message) == "签收后7天内可以申请退货，"
        pauses[1].set()
        workspace.wait(lambda: labels_of(workspace.messages[0]))
    assert text_of(message).startswith("签收后7天内可以申请退货，运费12元由买家承担。")
    assert "怎么退货？" in text_of(message)
    assert len(workspace.messages) == 1


def test_an_event_delivered_four_times_is_answered_once(workspace: FakeSlack, prepared: Site) -> None:
    thinking = threading.Event()
    prepared.knowledge = StubKnowledge(0.6)
    prepared.local = ScriptedModel(Held(thinking), "签收后7天内可以申请退货。")
    with prepared.served() as workspace.bot:
        asked = workspace.says("退货要几天内？")
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda retry: workspace.deliver(asked, retry=retry).status_code, range(4)))
        assert replies == [200] * 4
        thinking.set()
        workspace.shown(1)
        workspace.deliver(workspace.says("怎么退货？"))
        workspace.shown(2)
    assert len(prepared.local.prompts) == 2


@pytest.mark.parametrize(
    "event",
    [
        {"type": "reaction_added", "user": "UA", "item": {}},
        {"type": "app_home_opened", "user": "UA", "channel": DIRECT},
        {"type": "app_mention", "text": "?", "ts": "1.0", "channel": PUBLIC},
    ],
    ids=["reaction", "home", "nobody's mention"],
)
def test_what_nobody_asked_for_is_acknowledged(
    workspace: FakeSlack, prepared: Site, site_address: str, event: dict[str, Any]
) -> None:
    assert workspace.deliver(workspace.says("?") | {"event": event}).status_code == 200
    assert prepared.knowledge.queries == []


def test_an_event_without_what_it_needs_is_refused(workspace: FakeSlack, site_address: str) -> None:
    event = workspace.says("怎么退货？")
    del event["event_id"]
    assert workspace.deliver(event).status_code == 400


def test_a_message_without_text_is_no_question(workspace: FakeSlack, prepared: Site, site_address: str) -> None:
    assert workspace.deliver(workspace.says(None)).status_code == 200  # type: ignore[arg-type]
    assert text_of(workspace.shown(1)[0]) == messages.no_words("zh")
    assert prepared.knowledge.queries == []


def test_what_bots_say_and_what_is_edited_is_left(workspace: FakeSlack, prepared: Site, site_address: str) -> None:
    workspace.deliver(workspace.says("怎么退货？", slack.BOT_USER, bot_id=slack.BOT_ID))
    workspace.deliver(workspace.says("怎么退货？", "UOTHER", bot_id="BOTHER", subtype="bot_message"))
    workspace.deliver(workspace.says("怎么退货？", subtype="message_changed"))
    workspace.deliver(workspace.says("怎么开发票？"))
    workspace.shown(1)
    assert [query.text for query in prepared.knowledge.queries] == ["怎么开发票？"]


def test_marks_of_slack_are_not_part_of_a_question(workspace: FakeSlack, prepared: Site, site_address: str) -> None:
    workspace.deliver(workspace.says("A&amp;B 见 <https://a.cn/x|a.cn/x> <mailto:a@b.cn|a@b.cn> 可以吗 &lt;3"))
    workspace.shown(1)
    assert prepared.knowledge.queries[0].text == "A&B 见 a.cn/x a@b.cn 可以吗 <3"


def test_a_file_without_words_is_declined_kindly(workspace: FakeSlack, site_address: str) -> None:
    workspace.deliver(workspace.says("", subtype="file_share", files=[{"id": "F1"}]))
    assert text_of(workspace.shown(1)[0]) == messages.text_only("zh")


def test_a_long_answer_comes_in_several_messages_with_buttons_at_the_end(workspace: FakeSlack, prepared: Site) -> None:
    prepared.knowledge = StubKnowledge(0.95, LONG)
    with prepared.served() as workspace.bot:
        workspace.deliver(workspace.says("长"))
        shown = workspace.shown(2)
        until(lambda: any(labels_of(message) for message in workspace.messages))
    assert "".join(text_of(message) for message in shown) == LONG.answer
    assert [bool(labels_of(message)) for message in shown] == [False] * (len(shown) - 1) + [True]


def test_a_faq_cannot_call_everybody(workspace: FakeSlack, prepared: Site) -> None:
    prepared.knowledge = StubKnowledge(
        0.95, Entry(key="X", question="x", answer="<!channel> <@U1> 大家好", language="zh")
    )
    with prepared.served() as workspace.bot:
        workspace.deliver(workspace.says("x"))
        [message] = workspace.shown(1)
    assert "<!channel>" not in text_of(message) + message["text"]
    assert "<@U1>" not in text_of(message) + message["text"]


def test_a_command_is_answered_for_its_writer_only(workspace: FakeSlack, site_address: str) -> None:
    reply = workspace.deliver(workspace.commands("怎么退货？"), form="fields")
    assert (reply.status_code, reply.content) == (200, b"")
    workspace.wait(lambda: workspace.responses)
    [response] = workspace.responses
    assert (response["response_type"], text_of(response)) == ("ephemeral", RETURNS.answer)
    assert workspace.messages == []
    assert messages.welcome("zh", "FrontDesk") in workspace.deliver(workspace.commands(" "), form="fields").text


class TestAgents:
    """Agents answer in a channel of their own."""

    def test_a_conversation_goes_to_the_agents_channel_and_back(
        self, workspace: FakeSlack, prepared: Site, site_address: str
    ) -> None:
        workspace.deliver(workspace.says("我的电话是13812345678"))
        workspace.deliver(workspace.clicks(workspace.shown(1)[0], "转人工"), form="payload")
        until(lambda: any(message["channel"] == AGENTS for message in workspace.messages))
        [call] = [message for message in workspace.messages if message["channel"] == AGENTS]
        assert "[phone]" in text_of(call)
        assert "13812345678" not in text_of(call)

        reply = workspace.says("您好，<@UBOT> 我来帮您", "UO", AGENTS, thread_ts=call["ts"])
        workspace.deliver(reply)
        workspace.deliver(reply, retry=1)
        workspace.deliver(workspace.says("内部讨论，不在线程里", "UO", AGENTS))
        until(lambda: text_of(workspace.messages[-1]) == "您好， 我来帮您")
        assert workspace.messages[-1]["channel"] == DIRECT

        workspace.deliver(workspace.says("订单 20231123"))
        until(lambda: "订单 20231123" in text_of(workspace.messages[-1]))
        assert (workspace.messages[-1]["channel"], workspace.messages[-1]["thread_ts"]) == (AGENTS, call["ts"])

        workspace.deliver(workspace.clicks(call, "交还机器人", "UO"), form="payload")
        until(lambda: "Olga" in workspace.messages[-1]["text"])
        workspace.deliver(workspace.says("怎么退货？"))
        until(lambda: text_of(workspace.messages[-1]) == RETURNS.answer)
        said = [text_of(message) for message in workspace.messages if message["channel"] == DIRECT]
        assert said == [RETURNS.answer, messages.handed_off("zh"), "您好， 我来帮您", RETURNS.answer]

    def test_a_reply_that_is_shown_in_the_channel_too_reaches_the_customer(
        self, workspace: FakeSlack, prepared: Site, site_address: str
    ) -> None:
        call = self._called(workspace, "转人工")
        more = {"thread_ts": call["ts"], "subtype": "thread_broadcast"}
        workspace.deliver(workspace.says("您好", "UO", AGENTS, **more))
        until(lambda: text_of(workspace.messages[-1]) == "您好")
        assert workspace.messages[-1]["channel"] == DIRECT

    def test_a_reply_whose_second_piece_fails_arrives_once(
        self, workspace: FakeSlack, prepared: Site, site_address: str
    ) -> None:
        call = self._called(workspace, "转人工")
        workspace.script.then(0.0, down)
        words = LONG.answer[:8_000]
        workspace.deliver(workspace.says(words, "UO", AGENTS, thread_ts=call["ts"]))
        until(lambda: "".join(self._said(workspace)[1:]) == words)
        assert len(self._said(workspace)) == 3

    def test_from_doubt_to_a_person_and_back_to_the_bot(
        self, workspace: FakeSlack, prepared: Site, site_address: str
    ) -> None:
        prepared.knowledge.confidence = 0.01
        workspace.deliver(workspace.says("量子"))
        workspace.shown(1)
        call = self._called(workspace, "又是什么")
        workspace.deliver(workspace.says("您好，我来帮您", "UO", AGENTS, thread_ts=call["ts"]))
        until(lambda: self._said(workspace)[-1] == "您好，我来帮您")
        workspace.deliver(workspace.clicks(call, "交还机器人", "UO"), form="payload")
        until(lambda: "Olga" in workspace.messages[-1]["text"])
        prepared.knowledge.confidence = 0.95
        workspace.deliver(workspace.says("怎么退货？"))
        until(lambda: self._said(workspace)[-1] == RETURNS.answer)

    def _called(self, workspace: FakeSlack, text: str) -> dict[str, Any]:
        """Let a customer write what calls the agents, and return their message."""
        workspace.deliver(workspace.says(text))
        until(lambda: any(message["channel"] == AGENTS for message in workspace.messages))
        until(lambda: self._said(workspace))
        [call] = [message for message in workspace.messages if message["channel"] == AGENTS]
        return call

    def _said(self, workspace: FakeSlack) -> list[str]:
        return [text_of(message) for message in workspace.messages if message["channel"] == DIRECT]

    def test_a_customer_of_the_website_is_answered_from_slack(
        self, workspace: FakeSlack, prepared: Site, site_address: str
    ) -> None:
        asked = httpx.post(f"{site_address}/api/chat", json={"question": "转人工"}).json()
        until(lambda: workspace.messages)
        workspace.deliver(workspace.says("您好", "UO", AGENTS, thread_ts=workspace.messages[0]["ts"]))
        path = f"{site_address}/api/conversations/{asked['conversation_id']}/events"
        with httpx.stream("GET", path, timeout=20) as stream:
            lines = stream.iter_lines()
            assert any('"text": "您好"' in line and '"agent": "Olga"' in line for line in lines)

    def test_the_console_takes_over_what_began_in_slack(
        self, workspace: FakeSlack, prepared: Site, site_address: str
    ) -> None:
        workspace.deliver(workspace.says("talk to a person"))
        with Company(None, prepared, site_address).owner() as agent:  # type: ignore[arg-type]
            until(lambda: agent.get("/api/admin/inbox").json()["conversations"])
            [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
            path = f"/api/admin/inbox/{waiting['id']}"
            agent.post(f"{path}/take", json={})
            agent.post(f"{path}/reply", json={"text": "Hello from the console"})
            until(lambda: any(text_of(message) == "Hello from the console" for message in workspace.messages))


@pytest.mark.parametrize(
    "trouble", [down, too_many(1), says({"ok": False, "error": "internal_error"})], ids=["down", "too many", "error"]
)
def test_an_answer_arrives_once_slack_is_well_again(workspace: FakeSlack, site_address: str, trouble) -> None:  # type: ignore[no-untyped-def]
    workspace.script.then(trouble, trouble)
    workspace.deliver(workspace.says("怎么退货？"))
    workspace.shown(1)
    time.sleep(0.5)
    assert len(workspace.messages) == 1


class TestForgeries:
    """What is not from Slack is refused and asks nothing."""

    @pytest.fixture(autouse=True)
    def _nothing_is_asked(self, prepared: Site, site_address: str) -> Iterator[None]:
        yield
        assert prepared.knowledge.queries == []

    def test_a_wrong_signature(self, workspace: FakeSlack) -> None:
        assert workspace.deliver(workspace.says("怎么退货？"), secret="0" * 32).status_code == 401

    def test_an_old_request(self, workspace: FakeSlack) -> None:
        assert workspace.deliver(workspace.says("怎么退货？"), at=time.time() - 600).status_code == 401

    @pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"payload=x", b"[1]"])
    def test_a_body_that_is_none(self, workspace: FakeSlack, body: bytes) -> None:
        reply = httpx.post(f"{workspace.bot}/channels/slack/events", content=body)
        assert reply.status_code in (400, 401)

    @pytest.mark.parametrize("event", [None, 1, "text", []])
    def test_an_event_that_is_none(self, workspace: FakeSlack, event: object) -> None:
        assert workspace.deliver({"type": "event_callback", "event": event}).status_code in (400, 404)

    def test_a_huge_body(self, workspace: FakeSlack) -> None:
        reply = httpx.post(f"{workspace.bot}/channels/slack/events", content=b"x" * 2_000_000)
        assert reply.status_code == 413


def test_a_wrong_token_is_said_and_no_event_is_lost(workspace: FakeSlack, prepared: Site) -> None:
    prepared.settings["channels"]["slack"]["bot_token"] = "xoxb-wrong"  # type: ignore[index]
    with prepared.served() as workspace.bot:
        until(lambda: httpx.get(f"{workspace.bot}/readyz").json()["problems"])
        [problem] = httpx.get(f"{workspace.bot}/readyz").json()["problems"]
        assert "invalid_auth" in problem
        assert workspace.deliver(workspace.says("怎么退货？")).status_code >= 400  # so that Slack tries again


def test_the_test_button_names_bot_workspace_and_agents(
    workspace: FakeSlack, prepared: Site, site_address: str
) -> None:
    with Company(None, prepared, site_address).owner() as owner:  # type: ignore[arg-type]
        tested = owner.post("/api/admin/channels/slack/test").json()
    assert tested == {"works": True, "message": "faq @ Shop, agents: #support"}


def test_without_a_way_in_the_channel_is_not_set_up(prepared: Site, workspace: FakeSlack) -> None:
    del prepared.settings["channels"]["slack"]["signing_secret"]  # type: ignore[index]
    with prepared.served() as address:
        [problem] = httpx.get(f"{address}/readyz").json()["problems"]
    assert "app_token" in problem


class TestSocketMode:
    """Without a public address."""

    @pytest.fixture(autouse=True)
    def _over_socket(self, prepared: Site) -> None:
        chosen = prepared.settings["channels"]["slack"]  # type: ignore[index]
        del chosen["signing_secret"]
        chosen["app_token"] = slack.APP_TOKEN

    def test_events_clicks_and_commands_come_over_the_socket(
        self, workspace: FakeSlack, prepared: Site, site_address: str
    ) -> None:
        asked = workspace.says("怎么退货？")
        workspace.over_socket("events_api", asked)
        workspace.over_socket("events_api", asked)
        [message] = workspace.shown(1)
        workspace.over_socket("interactive", workspace.clicks(message, "👍"))
        workspace.over_socket("slash_commands", workspace.commands("怎么退货？"))
        workspace.wait(lambda: len(workspace.responses) == 2)
        assert len(workspace.messages) == 1
        assert httpx.post(f"{workspace.bot}/channels/slack/events").status_code == 404
