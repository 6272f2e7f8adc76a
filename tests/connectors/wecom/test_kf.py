"""WeChat customer service against an account that keeps its limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot import messages
from bot.question import Suggestion
from connectors.contract import RecordingDelivery, RecordingHost, answer
from connectors.wecom import kf
from connectors.wecom.kf import WecomKf
from knowledge.entries import Entry
from tests.bot.fakes import INVOICE, PAYMENT, RETURNS, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms import wecom
from tests.connectors.platforms.misbehaviour import down, too_many
from tests.connectors.platforms.wecom_kf import BOT, ENDED, NEW, PERSON, POOL, FakeKf, shown
from tests.connectors.wecom.conftest import Company

LONG = Entry(
    key="L",
    question="长答案",
    answer="".join(f"这是第{n:03}个很长的句子，用来看怎么切分。" for n in range(250)),
    language="zh",
)
KEYS = {"corp_id": wecom.CORP, "secret": wecom.SECRET, "token": wecom.TOKEN, "aes_key": wecom.AES_KEY}


class KfCompany(Company):
    """A company whose customers write in WeChat."""

    def __init__(self, account: FakeKf, site: Site) -> None:
        super().__init__(account.company, site)
        self.account = account

    @property
    def callback(self) -> str:
        return f"{self.address}/channels/wecom_kf/callback"

    def notify(self) -> None:
        assert self.deliver(self.account.notice()) == [200]

    def customer(self, text: str, user: str = "wm1") -> None:
        self.account.customer_writes(text, user)
        self.notify()

    def reads(self, count: int = 1) -> list[str]:
        return self.account.wait_for(count)


@pytest.fixture
def account() -> FakeKf:
    return FakeKf()


@pytest.fixture
def prepared(account: FakeKf, site: Site) -> Iterator[KfCompany]:
    with serving(account.app()) as api:
        site.settings = {"channels": {"wecom_kf": {**KEYS, "api": api}}}
        yield KfCompany(account, site)


@pytest.fixture
def company(prepared: KfCompany) -> Iterator[KfCompany]:
    with prepared.site.served() as prepared.address:
        yield prepared


def until(seconds: float, happened) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_notice_has_the_messages_fetched_and_answered(company: KfCompany, account: FakeKf) -> None:
    company.customer("怎么退货？")
    assert company.reads() == [RETURNS.answer]
    [sent] = account.sent
    assert (sent["touser"], sent["open_kfid"], sent["msgtype"]) == ("wm1", "wkAJ2GCAAA", "text")


def test_all_pages_are_fetched_and_no_message_twice(company: KfCompany, account: FakeKf) -> None:
    for number in range(5):
        account.customer_writes("怎么退货？", f"wm{number}")
    company.notify()
    company.notify()
    company.reads(5)
    company.customer("怎么退货？", "wm9")
    assert len(company.reads(6)) == 6
    assert len(company.site.knowledge.queries) == 6


def test_what_came_while_nobody_was_there_is_fetched_at_the_next_start(prepared: KfCompany, account: FakeKf) -> None:
    with prepared.site.served() as prepared.address:
        prepared.customer("怎么退货？")
        prepared.reads()
        account.syncing.then(*[down] * 50)
        prepared.customer("怎么退货？")
    account.syncing.troubles.clear()
    account.customer_writes("怎么退货？")
    with prepared.site.served():
        assert len(prepared.reads(3)) == 3


def test_a_new_account_is_not_asked_for_what_is_long_past(company: KfCompany, account: FakeKf) -> None:
    account.customer_writes("三天前的问题", at=time.time() - 3 * 86_400)
    company.customer("怎么退货？")
    assert company.reads() == [RETURNS.answer]
    assert [query.text for query in company.site.knowledge.queries] == ["怎么退货？"]


def test_who_enters_for_the_first_time_is_welcomed(company: KfCompany, account: FakeKf) -> None:
    account.customer_enters()
    company.notify()
    assert company.reads() == [messages.welcome("zh", "FrontDesk")]
    account.customer_enters(first=False)
    company.customer("怎么退货？")
    assert company.reads(2)[1] == RETURNS.answer


def test_an_image_is_declined_kindly(company: KfCompany, account: FakeKf) -> None:
    account.customer_writes(kind="image")
    company.notify()
    assert company.reads() == [messages.text_only("zh")]


def test_entries_to_choose_from_are_a_menu(company: KfCompany) -> None:
    company.site.knowledge.confidence = 0.3
    company.customer("那个")
    [menu] = company.reads()
    choices = [f"[{entry.question}]" for entry in (RETURNS, INVOICE, PAYMENT)]
    assert menu.splitlines() == [messages.clarify("zh"), *choices]
    company.site.knowledge.confidence = 0.95
    company.customer(INVOICE.question)
    company.reads(2)
    assert company.site.knowledge.queries[-1].text == INVOICE.question


def test_an_answer_beyond_five_messages_goes_on_when_the_customer_writes(prepared: KfCompany, account: FakeKf) -> None:
    prepared.site.knowledge = StubKnowledge(0.95, LONG)
    with prepared.site.served() as prepared.address:
        prepared.customer("长答案")
        first = prepared.reads(5)
        time.sleep(0.3)
        assert len(account.sent) == 5
        prepared.site.knowledge.confidence = 0.3
        prepared.customer("继续")
        everything = prepared.reads(9)
    assert "".join(everything).startswith(LONG.answer)
    assert len(first) == 5
    assert account.refused == []


def test_what_agents_write_beyond_five_messages_waits_and_arrives_as_one(prepared: KfCompany, account: FakeKf) -> None:
    prepared.site.settings["channels"]["wecom_kf"]["people"] = "console"  # type: ignore[index]
    with prepared.site.served() as prepared.address:
        prepared.customer("转人工")
        prepared.reads()
        with prepared.owner() as agent:
            [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
            path = f"/api/admin/inbox/{waiting['id']}"
            agent.post(f"{path}/take", json={})
            for number in range(1, 5):
                agent.post(f"{path}/reply", json={"text": f"{number}"})
                prepared.reads(number + 1)
            for number in (5, 6):
                agent.post(f"{path}/reply", json={"text": f"{number}"})
            until(20, lambda: any(item["who"] == "note" for item in agent.get(path).json()["items"]))
            assert len(account.sent) == 5
            prepared.customer("还在吗")
            assert prepared.reads(6)[5] == "5\n\n6"
    assert account.refused == []


def test_six_questions_in_a_row_are_six_answers(company: KfCompany, account: FakeKf) -> None:
    for number in range(6):
        account.customer_writes("怎么退货？", at=time.time() - 6 + number)
    company.notify()
    company.reads(5)
    with company.owner() as owner:
        until(20, lambda: owner.get("/api/admin/channels").json()["channels"][0]["waiting"] == 0)
    company.customer("怎么退货？")
    until(20, lambda: "".join(map(shown, account.sent)).count(RETURNS.answer) == 7)


def test_six_questions_within_a_second_are_six_answers(company: KfCompany, account: FakeKf) -> None:
    then = time.time()
    for _ in range(6):
        account.customer_writes("怎么退货？", at=then)
    company.notify()
    company.reads(5)
    company.customer("怎么退货？")
    until(20, lambda: "".join(map(shown, account.sent)).count(RETURNS.answer) == 7)


def test_two_long_answers_in_a_row_are_whole(prepared: KfCompany, account: FakeKf) -> None:
    three_pieces = "".join(f"这是第{n:03}个很长的句子，用来看怎么切分。" for n in range(85))
    prepared.site.knowledge = StubKnowledge(0.95, replace(LONG, answer=three_pieces))
    with prepared.site.served() as prepared.address:
        for _ in range(2):
            account.customer_writes("长答案")
        prepared.notify()
        prepared.reads(5)
        prepared.customer("谢谢")
        until(20, lambda: "".join(map(shown, account.sent)).count("这是第084个") == 3)


def test_what_is_said_to_six_images_in_a_row_is_not_lost(company: KfCompany, account: FakeKf) -> None:
    for _ in range(6):
        account.customer_writes(kind="image")
    company.notify()
    company.reads(5)
    company.customer("怎么退货？")
    until(20, lambda: RETURNS.answer in shown(account.sent[-1]))
    assert "".join(map(shown, account.sent)).count(messages.text_only("zh")) == 6


def test_accounts_of_one_customer_are_apart() -> None:
    posted: list[tuple[str, str]] = []

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        posted.append((body["open_kfid"], body["text"]["content"]))
        return {}

    async def run() -> None:
        connector, host = WecomKf(WecomKf.Settings(**KEYS)), RecordingHost()
        connector.routes(host)
        connector._api.post = post  # type: ignore[method-assign]
        for account, text in (("A", LONG.answer), ("B", "好的")):
            answered = replace(answer(text), turn_id=account)
            await connector.deliver(RecordingDelivery({"account": account, "user": "wm1"}, answered))
        await connector.close()

    asyncio.run(run())
    assert [account for account, _ in posted] == ["A"] * 5 + ["B"]
    assert posted[-1] == ("B", "好的")


def test_a_long_text_with_choices_is_split_and_its_menu_comes_last() -> None:
    offer = answer("长句子。" * 2_000, Suggestion("", "是"), Suggestion("", "否"))
    *texts, menu = WecomKf(WecomKf.Settings(**KEYS)).from_answer(offer)
    assert "".join(map(shown, texts)) == "长句子。" * 2_000
    assert [item["click"]["content"] for item in menu["msgmenu"]["list"]] == ["是", "否"]


def test_an_expired_token_is_left_and_the_messages_are_fetched_without(
    company: KfCompany, account: FakeKf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kf, "RETRY_SECONDS", 0.05)
    account.customer_writes("怎么退货？")
    notice = account.notice()
    account.expired.add(account.token)
    assert company.deliver(notice) == [200]
    assert company.reads() == [RETURNS.answer]
    until(10, lambda: httpx.get(f"{company.address}/readyz").json()["problems"] == [])


def test_an_access_token_that_was_taken_back_is_replaced(company: KfCompany, account: FakeKf) -> None:
    company.customer("怎么退货？")
    company.reads()
    account.company.tokens.clear()
    company.customer("怎么退货？")
    assert company.reads(2) == [RETURNS.answer] * 2
    assert account.company.fetched == 2


def test_first_notices_at_the_same_moment_are_all_taken(company: KfCompany, account: FakeKf) -> None:
    for number in range(4):
        account.customer_writes("怎么退货？", f"wm{number}")
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: company.deliver(account.notice()), range(4)))
    assert statuses == [[200]] * 4
    assert len(company.reads(4)) == 4


def test_a_session_that_ended_without_an_event_is_the_bots_again(company: KfCompany, account: FakeKf) -> None:
    company.customer("转人工")
    company.reads()
    until(10, lambda: account.sessions["wm1"].state == POOL)
    account.person_takes()
    account.person_writes("您好")
    company.notify()
    account.sessions["wm1"].state = ENDED
    company.customer("怎么退货？")
    assert company.reads(2)[1] == RETURNS.answer
    assert account.sessions["wm1"].state == NEW


def test_a_wish_for_a_person_goes_to_wecoms_pool_and_comes_back(company: KfCompany, account: FakeKf) -> None:
    company.customer("转人工")
    assert company.reads() == [messages.handed_off("zh")]
    until(10, lambda: account.sessions["wm1"].state == POOL)
    company.customer("订单 123")  # people see it in WeCom; the bot is silent
    account.person_takes()
    account.person_writes("您好，已经帮您查到了。")
    company.notify()
    with company.owner() as agent:
        until(10, lambda: len(agent.get("/api/admin/inbox").json()["conversations"]) == 1)
        [listed] = agent.get("/api/admin/inbox").json()["conversations"]
        path = f"/api/admin/inbox/{listed['id']}"
        until(10, lambda: [each["who"] for each in agent.get(path).json()["items"]].count("agent") == 1)
        shown = agent.get(path).json()
        assert [item["text"] for item in shown["items"] if item["who"] == "agent"] == ["您好，已经帮您查到了。"]
        assert agent.get("/api/admin/inbox").json()["conversations"][0]["agent"] == "lisi"
    account.person_ends()
    company.customer("怎么退货？")
    assert company.reads(2)[1] == RETURNS.answer
    assert account.refused == []


def test_a_named_person_may_be_called(prepared: KfCompany, account: FakeKf) -> None:
    prepared.site.settings["channels"]["wecom_kf"]["people"] = "wangwu"  # type: ignore[index]
    with prepared.site.served() as prepared.address:
        prepared.customer("转人工")
        until(10, lambda: account.sessions["wm1"].state == PERSON)
    assert account.sessions["wm1"].servicer == "wangwu"


def test_without_people_in_wecom_the_console_has_the_conversation(company: KfCompany, account: FakeKf) -> None:
    account.has_people = False
    company.customer("转人工")
    company.reads()
    with company.owner() as agent:
        [waiting] = agent.get("/api/admin/inbox").json()["conversations"]
        path = f"/api/admin/inbox/{waiting['id']}"
        agent.post(f"{path}/take", json={})
        agent.post(f"{path}/reply", json={"text": "您好"})
        assert company.reads(2)[1] == "您好"


def test_a_session_that_is_nobodys_is_made_the_bots(company: KfCompany, account: FakeKf) -> None:
    account.customer_writes("怎么退货？")
    account.sessions["wm1"].state = ENDED  # it ended just now
    company.notify()
    until(10, lambda: account.refused == [95018])
    time.sleep(1.5)  # until it has seen the state, too, and keeps the answer
    account.sessions["wm1"].state = BOT
    company.customer("怎么退货？")
    assert company.reads() == [f"{RETURNS.answer}\n\n{RETURNS.answer}"]


def test_a_session_that_a_person_took_is_left_alone(company: KfCompany, account: FakeKf) -> None:
    account.customer_writes("怎么退货？")
    account.sessions["wm1"].state = PERSON
    company.notify()
    until(10, lambda: account.refused == [95018])
    time.sleep(1.5)
    assert account.sent == []
    assert account.refused == [95018]
    assert httpx.get(f"{company.address}/readyz").json()["problems"] == []


@pytest.mark.parametrize("trouble", [down, too_many(1)], ids=["down", "too many"])
def test_an_answer_arrives_once_wechat_is_well_again(company: KfCompany, account: FakeKf, trouble) -> None:  # type: ignore[no-untyped-def]
    account.sending.then(trouble, trouble)
    company.customer("怎么退货？")
    assert company.reads() == [RETURNS.answer]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "?",
        {"text": None},
        {"text": {"content": None}},
        {"text": [1]},
        {"event": "x"},
        {"msgid": None},
        {"send_time": "x"},
        {"send_time": [1]},
    ],
    ids=str,
)
def test_an_unreadable_message_does_not_hold_up_the_others(company: KfCompany, account: FakeKf, broken: Any) -> None:
    account.customer_writes("?")
    account.log[-1] = {**account.log[-1], **broken} if isinstance(broken, dict) else broken
    company.customer("怎么退货？", "wm2")
    assert company.reads() == [RETURNS.answer]
    company.customer("怎么退货？", "wm2")
    company.reads(2)
    assert (account.fetches, len(company.site.knowledge.queries)) == (2, 2)


class TestForgeries:
    """What is not from WeCom, or not for this company, has nothing fetched."""

    @pytest.fixture(autouse=True)
    def _nothing_is_fetched(self, company: KfCompany, account: FakeKf) -> Iterator[None]:
        account.customer_writes("怎么退货？")
        yield
        assert account.fetches == 0

    def _status(self, company: KfCompany, query: dict[str, str], body: str) -> int:
        return httpx.post(company.callback, params=query, content=body, timeout=30).status_code

    @pytest.mark.parametrize("sealed", [{"token": "other"}, {"corp": "ww-other"}, {"at": 1.0}, {"at": 9e9}], ids=str)
    def test_another_seal(self, company: KfCompany, account: FakeKf, sealed: dict[str, Any]) -> None:
        assert self._status(company, *wecom.seal(account.notice(), **sealed)) == 403

    def test_a_wrong_signature(self, company: KfCompany, account: FakeKf) -> None:
        query, body = wecom.seal(account.notice())
        assert self._status(company, query | {"msg_signature": "0" * 40}, body) == 403

    def test_a_huge_body(self, company: KfCompany, account: FakeKf) -> None:
        query, _ = wecom.seal(account.notice())
        assert self._status(company, query, "x" * 2_000_000) == 413


def test_a_replayed_notice_is_acknowledged_and_nothing_is_answered_again(company: KfCompany, account: FakeKf) -> None:
    account.customer_writes("怎么退货？")
    notice = account.notice()
    for _ in range(3):
        assert company.deliver(notice) == [200]
    company.customer("怎么退货？")
    company.reads(2)
    assert len(company.site.knowledge.queries) == 2


def test_the_test_button_names_the_accounts(company: KfCompany) -> None:
    with company.owner() as owner:
        tested = owner.post("/api/admin/channels/wecom_kf/test").json()
    assert tested == {"works": True, "message": "小店客服"}
