"""The self-built app against a WeCom that behaves as the real one does."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from bot import messages
from bot.store.channels import ChannelStore
from knowledge.entries import Entry
from tests.bot.fakes import INVOICE, PAYMENT, RETURNS, ScriptedModel, StubKnowledge
from tests.connectors.platforms import wecom
from tests.connectors.platforms.misbehaviour import down, says, too_many
from tests.connectors.wecom.conftest import Company

LONG = Entry(key="L", question="长答案", answer="这是一个很长的句子，用来看怎么切分。" * 150, language="zh")


def post(company: Company, query: dict[str, str], body: str) -> httpx.Response:
    return httpx.post(company.callback, params=query, content=body, timeout=30)


def test_wecom_may_prove_the_address(company: Company) -> None:
    reply = httpx.get(company.callback, params=wecom.seal_echo("1616140317555161061"))
    assert (reply.status_code, reply.content) == (200, b"1616140317555161061")


def test_a_question_is_acknowledged_with_nothing_and_answered_by_a_push(company: Company) -> None:
    reply = post(company, *wecom.seal(company.platform.message("怎么退货？")))
    assert (reply.status_code, reply.content) == (200, b"")
    assert company.hears() == [RETURNS.answer]
    [sent] = company.platform.sent
    assert (sent["touser"], sent["agentid"], sent["msgtype"]) == ("zhangsan", wecom.AGENT, "text")


def test_each_person_has_a_conversation_of_their_own(company: Company) -> None:
    for user in ("zhangsan", "lisi", "zhangsan"):
        company.says("怎么退货？", user)
    company.hears(3)
    assert sorted(each["touser"] for each in company.platform.sent) == ["lisi", "zhangsan", "zhangsan"]


def test_one_message_delivered_four_times_while_the_model_thinks_is_answered_once(prepared: Company) -> None:
    thinking = threading.Event()
    prepared.site.knowledge = StubKnowledge(0.6)
    prepared.site.local = ScriptedModel(Held(thinking), "签收后7天内可以申请退货。")  # type: ignore[arg-type]
    with prepared.site.served() as prepared.address:
        sealed = wecom.seal(prepared.platform.message("退货要几天内？"))
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: post(prepared, *sealed).status_code, range(4)))
        assert replies == [200] * 4
        assert prepared.platform.sent == []
        thinking.set()
        assert "签收后7天内可以申请退货。" in prepared.hears()[0]
        prepared.says("怎么退货？")
        assert len(prepared.hears(2)) == 2
    assert len(prepared.site.local.prompts) == 2


class Held(asyncio.Event):
    """Waits for an event of another thread."""

    def __init__(self, event: threading.Event) -> None:
        super().__init__()
        self._other = event

    async def wait(self) -> bool:  # type: ignore[override]
        return await asyncio.to_thread(self._other.wait, 30)


@pytest.mark.parametrize("kind", ["image", "voice", "video", "file", "location"])
def test_what_is_no_text_is_declined_kindly(company: Company, kind: str) -> None:
    company.deliver(company.platform.message("", MsgType=kind))
    assert company.hears() == [messages.text_only("zh")]


def test_who_enters_is_welcomed_once(company: Company) -> None:
    first, again = company.platform.event("enter_agent"), company.platform.event("subscribe")
    assert company.deliver(first) == [200]
    assert company.deliver(again) == [200]
    company.says("怎么退货？")
    assert company.hears(2) == [messages.welcome("zh", "FrontDesk"), RETURNS.answer]


@pytest.mark.parametrize("name", ["LOCATION", "click", "unsubscribe"])
def test_other_events_are_acknowledged_and_left(company: Company, name: str) -> None:
    assert company.deliver(company.platform.event(name)) == [200]
    company.says("怎么退货？")
    assert company.hears() == [RETURNS.answer]


def test_entries_to_choose_from_are_numbered_and_a_number_chooses(prepared: Company) -> None:
    prepared.site.knowledge = StubKnowledge(0.3)
    with prepared.site.served() as prepared.address:
        prepared.says("那个东西")
        [offer] = prepared.hears()
        assert offer.splitlines() == [
            messages.clarify("zh"),
            f"1. {RETURNS.question}",
            f"2. {INVOICE.question}",
            f"3. {PAYMENT.question}",
            messages.reply_with_number("zh"),
        ]
        prepared.site.knowledge.confidence = 0.95
        prepared.says("2")
        prepared.hears(2)
    assert prepared.site.knowledge.queries[-1].text == INVOICE.question


def test_a_long_answer_is_split_at_sentences_by_bytes_and_nothing_is_lost(prepared: Company) -> None:
    prepared.site.knowledge = StubKnowledge(0.95, LONG)
    with prepared.site.served() as prepared.address:
        prepared.says("长答案")
        pieces = prepared.hears(5)
    assert "".join(pieces) == LONG.answer
    assert all(piece.endswith("。") for piece in pieces)


def test_a_too_long_message_is_answered_with_a_request(company: Company) -> None:
    company.says("啊" * 3_000)
    assert company.hears() == [messages.too_long("zh")]


def test_the_token_is_fetched_once_for_all(company: Company) -> None:
    for number in range(5):
        company.says("怎么退货？", f"user-{number}")
    company.hears(5)
    assert company.platform.fetched == 1


def test_a_token_that_is_about_to_expire_is_replaced_in_time(prepared: Company) -> None:
    prepared.platform.token_life = 1
    with prepared.site.served() as prepared.address:
        prepared.says("怎么退货？")
        prepared.hears()
        time.sleep(0.6)
        prepared.says("怎么退货？")
        prepared.hears(2)
    assert prepared.platform.fetched >= 2


def test_a_token_that_was_taken_back_is_replaced_and_the_message_sent_once(company: Company) -> None:
    company.says("怎么退货？")
    company.hears()
    company.platform.tokens.clear()
    company.says("怎么退货？")
    assert company.hears(2) == [RETURNS.answer] * 2
    assert company.platform.fetched == 2


@pytest.mark.parametrize(
    "trouble",
    [down, too_many(1), says({"errcode": -1, "errmsg": "system busy"}), says({"errcode": 60020, "errmsg": "ip"})],
    ids=["down", "too many", "busy", "untrusted address"],
)
def test_an_answer_arrives_once_the_platform_is_well_again(company: Company, trouble) -> None:  # type: ignore[no-untyped-def]
    company.platform.script.then(trouble, trouble)
    company.says("怎么退货？")
    company.says("怎么退货？", "lisi")
    assert company.hears(2) == [RETURNS.answer] * 2
    time.sleep(0.5)
    assert len(company.platform.sent) == 2


def test_an_answer_that_may_have_arrived_is_not_shown_twice(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors import http  # noqa: PLC0415

    [channel] = company.site.served_app.state.switchboard.channels.values()  # type: ignore[union-attr]
    channel.connector._api._client._client.timeout = httpx.Timeout(0.3)
    company.platform.script.then(1.0)  # silence, then it is taken after all
    company.says("怎么退货？")
    company.hears()
    time.sleep(2)
    assert len(company.platform.sent) == 1
    assert http.TIMEOUT_SECONDS > 1


def test_an_answer_that_arrived_and_was_not_noted_is_not_shown_twice(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_sent, lost = ChannelStore.mark_sent, [OperationalError("x", {}, Exception("locked"))]

    async def forgetful(*arguments: Any) -> None:
        if lost:
            raise lost.pop()
        await mark_sent(*arguments)

    monkeypatch.setattr(ChannelStore, "mark_sent", forgetful)
    company.says("怎么退货？")
    with company.platform.arrived:
        assert company.platform.arrived.wait_for(lambda: company.platform.dropped, 30)
    assert len(company.platform.sent) == 1


def test_a_token_that_is_refused_twice_delays_an_answer_and_does_not_lose_it(company: Company) -> None:
    stale = says({"errcode": 42001, "errmsg": "access_token expired"})
    company.platform.script.then(stale, stale)
    company.says("怎么退货？")
    assert company.hears() == [RETURNS.answer]


def test_messages_without_an_identifier_are_told_apart_by_sender_and_time(company: Company) -> None:
    for user in ("zhangsan", "lisi", "lisi"):
        message = company.platform.message("怎么退货？", user, CreateTime="1700000000")
        del message["MsgId"]
        assert company.deliver(message) == [200]
    company.says("怎么退货？", "wangwu")
    company.hears(3)
    assert sorted(each["touser"] for each in company.platform.sent) == ["lisi", "wangwu", "zhangsan"]


@pytest.mark.parametrize("broken", [{"FromUserName": ""}, {"MsgId": "", "CreateTime": ""}])
def test_a_message_that_cannot_be_kept_is_refused(company: Company, broken: dict[str, str]) -> None:
    message = {name: value for name, value in (company.platform.message("?") | broken).items() if value}
    assert company.deliver(message) == [400] * 4


def test_an_agents_second_piece_that_fails_is_sent_and_the_first_not_again(company: Company) -> None:
    company.says("转人工")
    company.hears()
    with company.owner() as agent:
        [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
        path = f"/api/admin/inbox/{waiting['id']}"
        agent.post(f"{path}/take", json={})
        company.platform.script.then(0.0, down)
        agent.post(f"{path}/reply", json={"text": "".join(f"这是第{n:03}个很长的句子。" for n in range(100))})
        pieces = company.hears(3)[1:]
    assert [piece.count("这是第000个") for piece in pieces] == [1, 0]
    assert len(company.platform.sent) == 3


def test_a_message_that_the_platform_never_takes_does_not_block_the_next(company: Company) -> None:
    company.platform.script.then(says({"errcode": 81013, "errmsg": "user & party & tag all invalid"}))
    company.says("怎么退货？")
    company.says("怎么退货？")
    assert company.hears() == [RETURNS.answer]
    problems = httpx.get(f"{company.address}/readyz").json()["problems"]
    assert not any("81013" in problem for problem in problems)  # it has worked since


class TestForgeries:
    """What is not from WeCom, or not for this company, is refused and asks nothing."""

    @pytest.fixture(autouse=True)
    def _nothing_is_asked(self, company: Company):  # type: ignore[no-untyped-def]
        yield
        assert company.site.knowledge.queries == []

    def test_a_wrong_signature(self, company: Company) -> None:
        query, body = wecom.seal(company.platform.message("怎么退货？"))
        assert post(company, {**query, "msg_signature": "0" * 40}, body).status_code == 403

    def test_another_token(self, company: Company) -> None:
        assert post(company, *wecom.seal(company.platform.message("?"), token="other")).status_code == 403

    def test_another_company(self, company: Company) -> None:
        assert post(company, *wecom.seal(company.platform.message("?"), corp="ww-other")).status_code == 403

    @pytest.mark.parametrize("skew", [-7_200, 7_200])
    def test_a_clock_that_is_far_off(self, company: Company, skew: int) -> None:
        sealed = wecom.seal(company.platform.message("?"), at=time.time() + skew)
        assert post(company, *sealed).status_code == 403

    @pytest.mark.parametrize(
        "body", ["", "hello", "<xml/>", "<a>", "<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>", "\0"]
    )
    def test_a_body_that_is_none(self, company: Company, body: str) -> None:
        query, _ = wecom.seal(company.platform.message("?"))
        assert post(company, query, body).status_code in (400, 403)

    def test_a_huge_body(self, company: Company) -> None:
        query, _ = wecom.seal(company.platform.message("?"))
        assert post(company, query, "x" * 2_000_000).status_code == 413

    def test_no_signature_at_all(self, company: Company) -> None:
        assert httpx.post(company.callback, content="<xml/>").status_code == 400
        assert httpx.get(company.callback).status_code == 400


def test_a_replayed_body_is_acknowledged_and_not_answered_again(company: Company) -> None:
    sealed = wecom.seal(company.platform.message("怎么退货？"))
    assert post(company, *sealed).status_code == 200
    company.hears()
    assert post(company, *sealed).status_code == 200
    company.says("怎么退货？", "lisi")
    company.hears(2)
    assert len(company.site.knowledge.queries) == 2


def test_the_console_shows_the_channel_and_its_test_button_names_the_app(company: Company) -> None:
    company.says("怎么退货？")
    company.hears()
    with company.owner() as owner:
        [listed] = owner.get("/api/admin/channels").json()["channels"]
        tested = owner.post("/api/admin/channels/wecom/test").json()
        unknown = owner.post("/api/admin/channels/other/test")
    assert (listed["name"], listed["problem"], listed["waiting"]) == ("wecom", None, 0)
    assert listed["paths"] == ["/channels/wecom/callback"]
    assert tested == {"works": True, "message": "客服助手"}
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("name", "value", "said"), [("secret", "wrong", "secret"), ("api", "http://127.0.0.1:9", "cannot be reached")]
)
def test_the_test_button_says_what_is_wrong(prepared: Company, name: str, value: str, said: str) -> None:
    prepared.site.settings["channels"]["wecom"][name] = value  # type: ignore[index]
    with prepared.site.served() as prepared.address, prepared.owner() as owner:
        tested = owner.post("/api/admin/channels/wecom/test").json()
    assert tested["works"] is False
    assert said in tested["message"]


def test_what_is_missing_is_named_and_other_channels_run_on(prepared: Company) -> None:
    channels = prepared.site.settings["channels"]  # type: ignore[index]
    channels["second"] = {"kind": "wecom", "corp_id": "ww1", "aes_key": "short"}
    with prepared.site.served() as prepared.address:
        ready = httpx.get(f"{prepared.address}/readyz")
        prepared.says("怎么退货？")
        prepared.hears()
        with prepared.owner() as owner:
            [_, lacking] = owner.get("/api/admin/channels").json()["channels"]
    assert ready.status_code == 200
    [problem] = ready.json()["problems"]
    assert lacking["problem"] == problem
    for said in ("channels.second.agent_id is missing", "channels.second.secret is missing", "no EncodingAESKey"):
        assert said in problem


def test_a_broken_channel_is_on_the_health_page_until_it_works(company: Company) -> None:
    company.platform.script.then(says({"errcode": 60020, "errmsg": "not allow to access from your ip"}))
    company.says("怎么退货？")
    deadline = time.monotonic() + 20
    while not (problems := httpx.get(f"{company.address}/readyz").json()["problems"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "trusted IPs" in problems[0]
    company.hears()
    while httpx.get(f"{company.address}/readyz").json()["problems"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_person_takes_over_answers_and_gives_back(company: Company) -> None:
    company.says("转人工")
    assert company.hears() == [messages.handed_off("zh")]
    with company.owner() as agent:
        [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
        assert waiting["channel"] == "wecom"
        path = f"/api/admin/inbox/{waiting['id']}"
        agent.post(f"{path}/take", json={})
        agent.post(f"{path}/reply", json={"text": "您好，我是 **Olga**，请问订单号是多少？"})
        assert company.hears(2)[1] == "您好，我是 Olga，请问订单号是多少？"
        company.says("订单号是 20231123")
        agent.post(f"{path}/reply", json={"text": "已为您处理。"})
        assert company.hears(3)[2] == "已为您处理。"
        shown = [item["text"] for item in agent.get(path).json()["items"] if item["who"] == "customer"]
        assert shown == ["转人工", "订单号是 20231123"]
        agent.post(f"{path}/release", json={"to": "bot"})
    company.says("怎么退货？")
    assert company.hears(4)[3] == RETURNS.answer
    assert len(company.platform.sent) == 4


def test_from_doubt_to_a_person_in_the_console_and_back_to_the_bot(company: Company) -> None:
    company.site.knowledge.confidence = 0.01
    company.says("量子")
    company.hears()
    company.says("又是什么")
    assert company.hears(2)[1] == messages.handed_off("zh", asked=False)
    with company.owner() as agent:
        [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
        path = f"/api/admin/inbox/{waiting['id']}"
        agent.post(f"{path}/take", json={})
        agent.post(f"{path}/reply", json={"text": "您好，我来帮您"})
        assert company.hears(3)[2] == "您好，我来帮您"
        agent.post(f"{path}/release", json={"to": "bot"})
    company.site.knowledge.confidence = 0.95
    company.says("怎么退货？")
    assert company.hears(4)[3] == RETURNS.answer


def test_what_an_agent_writes_while_the_platform_is_away_arrives_as_one_message(company: Company) -> None:
    company.says("转人工")
    company.hears()
    with company.owner() as agent:
        [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
        path = f"/api/admin/inbox/{waiting['id']}"
        agent.post(f"{path}/take", json={})
        company.platform.script.then(down)
        agent.post(f"{path}/reply", json={"text": "一"})
        while company.platform.script.troubles:
            time.sleep(0.02)
        agent.post(f"{path}/reply", json={"text": "二"})
        assert company.hears(2)[1] == "一\n\n二"


def test_an_agent_is_told_what_can_never_arrive(company: Company) -> None:
    company.says("转人工")
    company.hears()
    with company.owner() as agent:
        [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
        path = f"/api/admin/inbox/{waiting['id']}"
        agent.post(f"{path}/take", json={})
        company.platform.script.then(says({"errcode": 81013, "errmsg": "invalid user"}))
        agent.post(f"{path}/reply", json={"text": "您好"})
        deadline = time.monotonic() + 20
        while not (notes := [each["text"] for each in agent.get(path).json()["items"] if each["who"] == "note"]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert "81013" in notes[0]
