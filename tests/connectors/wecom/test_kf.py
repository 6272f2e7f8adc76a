"""WeChat customer service against an account that keeps its limits."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from bot import messages
from knowledge.entries import Entry
from tests.bot.fakes import INVOICE, PAYMENT, RETURNS, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms import wecom
from tests.connectors.platforms.misbehaviour import down, too_many
from tests.connectors.platforms.wecom_kf import BOT, ENDED, PERSON, POOL, FakeKf
from tests.connectors.wecom.conftest import Company

LONG = Entry(
    key="L",
    question="长答案",
    answer="".join(f"这是第{n:03}个很长的句子，用来看怎么切分。" for n in range(250)),
    language="zh",
)


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
        keys = {"corp_id": wecom.CORP, "secret": wecom.SECRET, "token": wecom.TOKEN, "aes_key": wecom.AES_KEY}
        site.settings = {"channels": {"wecom_kf": {**keys, "api": api}}}
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


def test_an_unreadable_message_does_not_hold_up_the_others(company: KfCompany, account: FakeKf) -> None:
    account.customer_writes("?")
    del account.log[-1]["text"]
    company.customer("怎么退货？")
    assert company.reads() == [RETURNS.answer]


def test_the_test_button_names_the_accounts(company: KfCompany) -> None:
    with company.owner() as owner:
        tested = owner.post("/api/admin/channels/wecom_kf/test").json()
    assert tested == {"works": True, "message": "小店客服"}
