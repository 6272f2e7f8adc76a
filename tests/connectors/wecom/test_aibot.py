"""WeCom's AI bot in both its modes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
import pytest

from bot import messages
from bot.channels import dispatch
from connectors.wecom import aibot_socket, aibot_webhook, api
from tests.bot.fakes import INVOICE, RETURNS, ScriptedModel, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms import wecom, wecom_bot
from tests.connectors.platforms.misbehaviour import says
from tests.connectors.platforms.wecom_bot import EXPIRED, Callbacks, ResponseUrls, Socket
from tests.connectors.wecom.conftest import Company
from tests.connectors.wecom.test_app import Held

WORDS = ["签收后7天内", "可以申请退货，", "运费12元", "由买家承担。"]


def thinking_site(site: Site, *events: threading.Event) -> None:
    """Let the model pause before each of its first words."""
    site.knowledge = StubKnowledge(0.6)
    pieces: list[Any] = []
    for number, word in enumerate(WORDS):
        pieces += [Held(events[number]), word] if number < len(events) else [word]
    site.local = ScriptedModel(*pieces)


def until(happened: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def feedback_of(owner: httpx.Client) -> tuple[int, int]:
    counted = owner.get("/api/admin/statistics").json()["days"][-1]
    return counted["up"], counted["down"]


class TestWebhook:
    """URL callbacks: WeCom asks until it has the end."""

    @pytest.fixture(autouse=True)
    def _channel(self, site: Site) -> None:
        site.settings = {"channels": {"wecom_bot_webhook": {"token": wecom.TOKEN, "aes_key": wecom.AES_KEY}}}

    @pytest.fixture
    def bot(self, site: Site) -> Iterator[Callbacks]:
        with site.served() as address:
            yield Callbacks(address)

    def test_wecom_may_prove_the_address(self, bot: Callbacks) -> None:
        assert bot.prove("echo") == "echo"

    def test_a_certain_answer_is_whole_in_the_first_reply(self, bot: Callbacks) -> None:
        [state] = bot.ask(wecom_bot.message("怎么退货？"))
        assert (state["finish"], state["content"]) == (True, RETURNS.answer)

    def test_an_answer_grows_from_call_to_call(self, site: Site) -> None:
        going_on = threading.Event()
        thinking_site(site, threading.Event(), going_on)
        site.local.pieces[0]._other.set()  # type: ignore[union-attr]
        with site.served() as address:
            bot, asked = Callbacks(address), wecom_bot.message("退货要几天内？")
            first = bot.call(asked)
            again = bot.call({**asked, "msgtype": "stream", "stream": {"id": first["stream"]["id"]}})  # type: ignore[index]
            going_on.set()
            states = bot.ask({**asked, "msgtype": "stream", "stream": {"id": first["stream"]["id"]}})  # type: ignore[index]
        assert first == again
        assert (first["stream"]["finish"], first["stream"]["feedback"]) == (False, {"id": asked["msgid"]})  # type: ignore[index]
        assert states[-1]["content"].startswith("".join(WORDS))

    def test_one_message_delivered_four_times_is_answered_once(self, site: Site) -> None:
        thinking = threading.Event()
        thinking_site(site, thinking)
        with site.served() as address:
            bot, asked = Callbacks(address), wecom_bot.message("退货要几天内？")
            with ThreadPoolExecutor(4) as pool:
                states = list(pool.map(bot.call, [asked] * 4))
            assert all(state is not None and not state["stream"]["finish"] for state in states)
            thinking.set()
            assert bot.ask(asked)[-1]["content"].startswith(WORDS[0])
        assert len(site.local.prompts) == 1  # type: ignore[union-attr]

    def test_two_messages_in_a_row_each_get_their_own_answer(self, site: Site) -> None:
        thinking = threading.Event()
        thinking_site(site, thinking)
        with site.served() as address:
            bot = Callbacks(address)
            first, second = wecom_bot.message("退货要几天内？"), wecom_bot.message(msgtype="image", image={})
            assert bot.call(first)["stream"]["finish"] is False  # type: ignore[index]
            assert bot.call(second)["stream"]["finish"] is False  # type: ignore[index]
            thinking.set()
            assert bot.ask(second)[-1]["content"] == messages.text_only("zh")
            assert bot.ask(first)[-1]["content"].startswith(WORDS[0])

    def test_in_a_group_the_name_of_the_bot_is_left_out_and_each_person_is_apart(
        self, site: Site, bot: Callbacks
    ) -> None:
        site.knowledge.confidence = 0.3
        bot.ask(wecom_bot.message("@小青 那个", user="a", chat="g1"))
        site.knowledge.confidence = 0.95
        bot.ask(wecom_bot.message("@小青 2", user="b", chat="g1"))
        bot.ask(wecom_bot.message("@小青 2", user="a", chat="g1"))
        assert [query.text for query in site.knowledge.queries] == ["那个", "2", INVOICE.question]

    def test_what_a_voice_message_said_is_a_question_and_an_image_is_declined(self, bot: Callbacks) -> None:
        spoken = wecom_bot.message(msgtype="voice", voice={"content": "怎么退货？"})
        mixed = wecom_bot.message(
            msgtype="mixed",
            mixed={
                "msg_item": [{"msgtype": "image", "image": {}}, {"msgtype": "text", "text": {"content": "怎么退货？"}}]
            },
        )
        for asked in (spoken, mixed):
            assert bot.ask(asked)[-1]["content"] == RETURNS.answer
        assert bot.ask(wecom_bot.message(msgtype="image", image={}))[-1]["content"] == messages.text_only("zh")

    def test_who_enters_is_welcomed_at_once(self, bot: Callbacks) -> None:
        assert bot.call(wecom_bot.event("enter_chat")) == {
            "msgtype": "text",
            "text": {"content": messages.welcome("zh", "FrontDesk")},
        }
        assert bot.call(wecom_bot.event("template_card_event", task_id="x")) is None

    def test_a_thumb_becomes_feedback(self, site: Site, bot: Callbacks) -> None:
        asked = wecom_bot.message("怎么退货？")
        bot.ask(asked)
        bot.call(wecom_bot.event("feedback_event", id=asked["msgid"], type=2, content="答非所问"))
        bot.call(wecom_bot.event("feedback_event", id="unknown", type=1))
        with Company(None, site, str(bot._address).split("/channels")[0]).owner() as owner:  # type: ignore[arg-type]
            assert feedback_of(owner) == (0, 1)

    def test_while_a_person_answers_the_bot_says_nothing_and_the_persons_words_are_pushed(
        self, site: Site, bot: Callbacks
    ) -> None:
        urls = ResponseUrls()
        with serving(urls.app()) as response:
            bot.ask(wecom_bot.message("转人工", response_url=f"{response}/response/one"))
            with Company(None, site, str(bot._address).split("/channels")[0]).owner() as agent:  # type: ignore[arg-type]
                [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
                path = f"/api/admin/inbox/{waiting['id']}"
                agent.post(f"{path}/take", json={})
                assert bot.ask(wecom_bot.message("在吗", response_url=f"{response}/response/two")) == []
                agent.post(f"{path}/reply", json={"text": "您好"})
                until(lambda: urls.said)
                agent.post(f"{path}/reply", json={"text": "还有"})
                until(lambda: any(item["who"] == "note" for item in agent.get(path).json()["items"]))
                shown = bot.ask(wecom_bot.message("好", response_url=f"{response}/response/three"))
                until(lambda: shown or "three" in urls.said)
        pushed = [body["markdown"]["content"] for code in urls.said for body in urls.said[code]]
        assert [*pushed, *(state["content"] for state in shown)] == ["您好", "还有"]

    def test_what_wecom_does_not_fetch_is_pushed(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(aibot_webhook, "FETCHED_WITHIN_SECONDS", 0.2)
        thinking, urls = threading.Event(), ResponseUrls()
        thinking_site(site, thinking)
        with serving(urls.app()) as response, site.served() as address:
            Callbacks(address).call(wecom_bot.message("退货要几天内？", response_url=f"{response}/response/one"))
            thinking.set()
            until(lambda: urls.said)
        assert urls.said["one"][0]["markdown"]["content"].startswith("".join(WORDS))

    def test_what_wecom_is_too_busy_for_is_pushed_again(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(aibot_webhook, "FETCHED_WITHIN_SECONDS", 0.2)
        monkeypatch.setitem(api.BUSY, 45009, 0.1)
        thinking, urls = threading.Event(), ResponseUrls()
        thinking_site(site, thinking)
        urls.script.then(says({"errcode": 45009, "errmsg": "api freq out of limit"}))
        with serving(urls.app()) as response, site.served() as address:
            Callbacks(address).call(wecom_bot.message("退货要几天内？", response_url=f"{response}/response/one"))
            thinking.set()
            until(lambda: urls.said)
        assert len(urls.said["one"]) == 1

    def test_a_replayed_message_is_answered_from_memory(self, site: Site, bot: Callbacks) -> None:
        asked = wecom_bot.message("怎么退货？")
        assert [bot.ask(asked)[-1]["content"] for _ in range(3)] == [RETURNS.answer] * 3
        assert len(site.knowledge.queries) == 1

    def test_a_huge_body_is_refused(self, bot: Callbacks) -> None:
        query = {"msg_signature": "0" * 40, "timestamp": str(int(time.time())), "nonce": "n"}
        assert httpx.post(bot._address, params=query, content=b"x" * 2_000_000).status_code == 413

    @pytest.mark.parametrize("changed", [{"msg_signature": "0" * 40}, {"timestamp": "1"}, {"receive_id": "ww1"}])
    def test_forgeries_are_refused(self, site: Site, bot: Callbacks, changed: dict[str, str]) -> None:
        assert bot.post(wecom_bot.message("?"), **changed).status_code == 403
        assert site.knowledge.queries == []

    @pytest.mark.parametrize("body", [[], {}, {"msgtype": "text"}, {"msgtype": "stream"}, {"msgtype": "event"}, "x"])
    def test_what_is_no_message_is_refused(self, bot: Callbacks, body: Any) -> None:
        assert bot.post(body).status_code == 400


class TestSocket:
    """Long connections: frames that grow, acknowledged one by one."""

    @pytest.fixture
    def socket(self) -> Iterator[Socket]:
        socket = Socket()
        with socket.serving():
            yield socket

    @pytest.fixture(autouse=True)
    def _channel(self, site: Site, socket: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(aibot_socket, "DELAYS_SECONDS", (0.1,))
        url = f"ws://127.0.0.1:{socket.port}"
        site.settings = {"channels": {"wecom_bot": {"bot_id": wecom_bot.BOT, "secret": wecom_bot.SECRET, "url": url}}}

    @pytest.fixture
    def address(self, site: Site) -> Iterator[str]:
        with site.served() as address:
            yield address

    def test_a_question_is_answered_in_its_own_stream(self, socket: Socket, address: str) -> None:
        request = socket.send(wecom_bot.message("怎么退货？"))
        assert socket.reply_to(request) == RETURNS.answer
        first, *others = [frame for frame in socket.frames if frame["cmd"] != "ping"]
        assert (first["cmd"], {frame["cmd"] for frame in others}) == ("aibot_subscribe", {"aibot_respond_msg"})
        assert sum(frame["body"]["stream"]["finish"] for frame in others) == 1

    def test_an_answer_grows_and_has_its_feedback_once(
        self, socket: Socket, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(aibot_socket, "INTERVAL_SECONDS", 0.0)
        pauses = [threading.Event() for _ in WORDS]
        thinking_site(site, *pauses)
        with site.served():
            asked = wecom_bot.message("退货要几天内？")
            request = socket.send(asked)
            for pause in pauses[:-1]:
                pause.set()
            socket.wait(lambda: request in socket.shown)
            pauses[-1].set()
            socket.reply_to(request)
        streams = [frame["body"]["stream"] for frame in socket.frames if frame["cmd"] == "aibot_respond_msg"]
        assert [stream["finish"] for stream in streams] == [False] * (len(streams) - 1) + [True]
        assert len(streams) >= 2
        assert all(later["content"].startswith(sooner["content"]) for sooner, later in pairwise(streams))
        assert [stream.get("feedback") for stream in streams] == [{"id": asked["msgid"]}] + [None] * (len(streams) - 1)

    def test_one_message_delivered_four_times_is_answered_once(self, socket: Socket, site: Site, address: str) -> None:
        asked = wecom_bot.message("怎么退货？")
        requests = [socket.send(asked) for _ in range(4)]
        socket.wait(lambda: socket.shown)
        socket.reply_to(socket.send(wecom_bot.message("怎么退货？")))
        assert len([request for request in requests if request in socket.shown]) == 1
        assert len(site.knowledge.queries) == 2

    def test_who_enters_is_welcomed(self, socket: Socket, address: str) -> None:
        request = socket.send(wecom_bot.event("enter_chat"))
        socket.wait(lambda: request in socket.shown)
        assert socket.shown[request]["text"]["content"] == messages.welcome("zh", "FrontDesk")

    def test_a_thumb_becomes_feedback(self, socket: Socket, site: Site, address: str) -> None:
        asked = wecom_bot.message("怎么退货？")
        socket.reply_to(socket.send(asked))
        socket.send(wecom_bot.event("feedback_event", id=asked["msgid"], type=1))
        with Company(None, site, address).owner() as owner:  # type: ignore[arg-type]
            until(lambda: feedback_of(owner) == (1, 0))

    def test_a_persons_words_are_pushed_and_the_bot_is_silent(self, socket: Socket, site: Site, address: str) -> None:
        socket.reply_to(socket.send(wecom_bot.message("转人工", chat="g1")))
        with Company(None, site, address).owner() as agent:  # type: ignore[arg-type]
            [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
            path = f"/api/admin/inbox/{waiting['id']}"
            agent.post(f"{path}/take", json={})
            silent = socket.send(wecom_bot.message("在吗", chat="g1"))
            agent.post(f"{path}/reply", json={"text": "您好"})
            socket.wait(lambda: socket.pushed)
        assert socket.pushed == [{"chatid": "g1", "msgtype": "markdown", "markdown": {"content": "您好"}}]
        assert silent not in socket.shown

    def test_an_answer_that_comes_after_the_stream_has_expired_is_pushed(self, socket: Socket, address: str) -> None:
        socket.refuse["aibot_respond_msg"] = EXPIRED
        socket.send(wecom_bot.message("怎么退货？"))
        socket.wait(lambda: socket.pushed)
        assert socket.pushed[0]["markdown"]["content"] == RETURNS.answer

    def test_a_connection_that_breaks_is_made_again_and_the_answer_arrives(self, socket: Socket, site: Site) -> None:
        thinking = threading.Event()
        thinking_site(site, thinking)
        with site.served() as address:
            request = socket.send(wecom_bot.message("退货要几天内？"))
            until(lambda: site.local.prompts)  # type: ignore[union-attr]
            socket.drop()
            thinking.set()
            socket.wait(lambda: socket.subscribed == 2)
            assert socket.reply_to(request).startswith(WORDS[0])
            until(lambda: httpx.get(f"{address}/readyz").json()["problems"] == [])

    def test_a_connection_that_is_silent_is_given_up(
        self, socket: Socket, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(aibot_socket, "HEARTBEAT_SECONDS", 0.1)
        monkeypatch.setattr(aibot_socket, "ACK_SECONDS", 0.3)
        with site.served():
            socket.wait(lambda: socket.pings >= 2)
            socket.is_silent = True
            socket.wait(lambda: socket.subscribed >= 2)

    def test_a_heartbeat_that_is_refused_costs_a_connection_and_no_more(
        self, socket: Socket, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(aibot_socket, "HEARTBEAT_SECONDS", 0.1)
        with site.served():
            socket.wait(lambda: socket.pings)
            socket.refuse["ping"] = 93000
            socket.wait(lambda: socket.subscribed >= 2)
            socket.refuse.clear()
            assert socket.reply_to(socket.send(wecom_bot.message("怎么退货？"))) == RETURNS.answer

    def test_an_answer_that_wecom_is_too_busy_for_arrives_later(
        self, socket: Socket, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(api.BUSY, 45009, 0.1)
        socket.refuse["aibot_respond_msg"] = 45009
        request = socket.send(wecom_bot.message("怎么退货？"))
        socket.wait(lambda: any(frame["cmd"] == "aibot_respond_msg" for frame in socket.frames))
        socket.refuse.clear()
        assert socket.reply_to(request) == RETURNS.answer

    def test_who_is_refused_waits_longer_each_time(
        self, socket: Socket, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(aibot_socket, "DELAYS_SECONDS", (0.05, 600))
        socket.refuse["aibot_subscribe"] = 45009
        with site.served():
            socket.wait(lambda: len(socket.frames) == 2)
            time.sleep(0.5)
        assert len(socket.frames) == 2

    @pytest.mark.parametrize(
        "frame",
        [
            "no json",
            "[]",
            "7",
            '{"cmd": "aibot_msg_callback", "headers": null, "body": {"msgtype": "text", "from": {"userid": "u"}}}',
            '{"cmd": "aibot_msg_callback", "body": {"msgid": "m", "msgtype": "text", "text": [1], "from": {}}}',
            '{"cmd": "aibot_event_callback", "headers": [], "body": {"msgtype": "event", "event": "x"}}',
        ],
    )
    def test_a_frame_that_cannot_be_read_is_left(self, socket: Socket, address: str, frame: str) -> None:
        socket.send_text(frame)
        assert socket.reply_to(socket.send(wecom_bot.message("怎么退货？"))) == RETURNS.answer
        assert socket.subscribed == 1

    def test_a_wrong_secret_is_said_and_not_tried_again(self, socket: Socket, site: Site) -> None:
        site.settings["channels"]["wecom_bot"]["secret"] = "wrong"  # type: ignore[index]
        with site.served() as address:
            until(lambda: httpx.get(f"{address}/readyz").json()["problems"])
            [problem] = httpx.get(f"{address}/readyz").json()["problems"]
            time.sleep(0.5)
        assert "bot_id and secret" in problem
        assert len(socket.frames) == 1

    def test_a_newer_connection_wins(self, socket: Socket, address: str) -> None:
        socket.send(wecom_bot.event("disconnected_event"))
        until(lambda: httpx.get(f"{address}/readyz").json()["problems"])
        time.sleep(0.5)
        assert socket.subscribed == 1

    def test_the_test_button_says_whether_it_is_connected(self, socket: Socket, site: Site, address: str) -> None:
        with Company(None, site, address).owner() as owner:  # type: ignore[arg-type]
            socket.wait(lambda: socket.subscribed)
            until(lambda: owner.post("/api/admin/channels/wecom_bot/test").json()["works"])
            socket.send(wecom_bot.event("disconnected_event"))
            until(lambda: not owner.post("/api/admin/channels/wecom_bot/test").json()["works"])


def test_answers_are_tried_again_soon() -> None:
    assert dispatch.DELAYS_SECONDS[0] <= 1
