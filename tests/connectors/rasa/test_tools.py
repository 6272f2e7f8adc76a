"""The actions that come with FrontDesk, against a shop's own services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from bot import messages
from bot.desk import FrontDesk
from bot.question import Answer, Question
from bot.store.database import Database
from tests.bot.fakes import RETURNS, StubKnowledge, ask, make_desk
from tests.bot.servers import serving


class Shop:
    """A shop's services."""

    def __init__(self) -> None:
        self.orders: dict[str, Any] = {"SF-20261123": {"status": "已发货", "carrier": "顺丰", "items": [1]}}
        self.pages: Any = [{"title": f"Page {number}", "url": f"https://shop/{number}"} for number in range(9)]
        self.seen: list[Request] = []
        self.broken: Response | None = None

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/orders/{number}")
        async def order(number: str, request: Request) -> Response:
            self.seen.append(request)
            found = self.orders.get(number)
            return self.broken or (JSONResponse(found) if found else Response(status_code=404))

        @app.get("/search")
        async def search(request: Request) -> Response:
            self.seen.append(request)
            return self.broken or JSONResponse(self.pages)

        return app


@pytest.fixture
def shop() -> Iterator[tuple[Shop, str]]:
    shop = Shop()
    with serving(shop.app()) as address:
        yield shop, address


class Customer:
    """Talks to a bot whose best entry names an action."""

    def __init__(self, desk: FrontDesk, knowledge: StubKnowledge) -> None:
        self.desk, self.knowledge = desk, knowledge
        self.conversation_id: str | None = None

    async def says(self, text: str, confidence: float = 0.05, **more: Any) -> Answer:
        self.knowledge.confidence = confidence
        answer, _ = await ask(self.desk, Question(text=text, conversation_id=self.conversation_id, **more))
        self.conversation_id = answer.conversation_id
        return answer


@pytest_asyncio.fixture
async def customer(database: Database, shop: tuple[Shop, str], request: Any) -> AsyncIterator[Customer]:
    _, address = shop
    tools = {
        "order_status": {"url": f"{address}/orders/{{number}}", "answer_zh": "订单 {number}：{status}，{carrier}。"},
        "site_search": {"url": f"{address}/search?q={{question}}", "authorization": "Bearer s3cret"},
    }
    knowledge = StubKnowledge(0.95, replace(RETURNS, action=request.param))
    desk = make_desk(database, knowledge, settings={"tools": tools})
    yield Customer(desk, knowledge)
    await desk.actions.close()


orders = pytest.mark.parametrize("customer", ["action_order_status"], indirect=True)
search = pytest.mark.parametrize("customer", ["action_site_search"], indirect=True)


@orders
async def test_it_asks_for_the_number_and_remembers_it(customer: Customer, shop: tuple[Shop, str]) -> None:
    asked = await customer.says("我的快递到哪了？", 0.95)
    assert (asked.outcome, asked.text) == ("direct", messages.ask_order_number("zh"))
    assert (await customer.says("是 SF-20261123 这个")).text == "订单 SF-20261123：已发货，顺丰。"
    assert (await customer.says("现在到哪了？", 0.95)).text == "订单 SF-20261123：已发货，顺丰。"
    assert len(shop[0].seen) == 2


@orders
async def test_a_number_that_comes_at_once_is_used(customer: Customer) -> None:
    assert "已发货" in (await customer.says("SF-20261123 到哪了", 0.95)).text


@orders
async def test_a_wrong_number_is_asked_for_again(customer: Customer) -> None:
    await customer.says("我的快递到哪了？", 0.95)
    assert (await customer.says("123")).text == messages.ask_order_number("zh", again=True)
    assert (await customer.says("99999999")).text == messages.unknown_order("zh", "99999999")
    assert "已发货" in (await customer.says("SF-20261123")).text


@orders
async def test_who_speaks_of_something_else_is_answered(customer: Customer) -> None:
    await customer.says("我的快递到哪了？", 0.95)
    assert (await customer.says("算了，没有单号", 0.3)).outcome == "clarify"


@orders
async def test_in_english(customer: Customer, shop: tuple[Shop, str]) -> None:
    shop[0].orders["A-1000"] = {"status": "on its way"}
    assert (await customer.says("Where is my order?", 0.95)).text == messages.ask_order_number("en")
    assert (await customer.says("It is A-1000, language?", language="en")).text == "Order A-1000: on its way."


@orders
@pytest.mark.parametrize("broken", [Response(status_code=500), Response("[]"), Response("{}"), Response("<html>")])
async def test_a_service_that_is_broken_gives_way_to_the_entry(
    customer: Customer, shop: tuple[Shop, str], broken: Response
) -> None:
    shop[0].broken = broken
    answer = await customer.says("SF-20261123 到哪了", 0.95)
    assert (answer.text, answer.degraded) == (RETURNS.answer, True)


@orders
async def test_the_service_is_told_who_asks_and_cannot_be_led_astray(
    customer: Customer, shop: tuple[Shop, str]
) -> None:
    await customer.says("订单 SF-20261123/../../admin?x=1 到哪了", 0.95, visitor="user:王")
    [request] = shop[0].seen
    assert request.url.path == "/orders/SF-20261123"
    assert request.headers["x-frontdesk-visitor"] == "user:%E7%8E%8B"


@search
@pytest.mark.parametrize("wrapped", [False, True])
async def test_pages_of_the_site_are_shown(customer: Customer, shop: tuple[Shop, str], wrapped: bool) -> None:
    if wrapped:
        shop[0].pages = {"results": shop[0].pages}
    answer = await customer.says("有没有 蓝色&大号 的?", 0.95)
    assert answer.text.splitlines() == [
        messages.pages_found("zh"),
        "",
        "- [Page 0](https://shop/0)",
        "- [Page 1](https://shop/1)",
        "- [Page 2](https://shop/2)",
    ]
    [request] = shop[0].seen
    assert request.query_params["q"] == "有没有 蓝色&大号 的?"
    assert request.headers["authorization"] == "Bearer s3cret"


@search
@pytest.mark.parametrize("pages", [[], {"results": []}, [{"title": "x", "url": "javascript:alert(1)"}], {}])
async def test_when_the_site_has_nothing_the_entry_answers(
    customer: Customer, shop: tuple[Shop, str], pages: Any
) -> None:
    shop[0].pages = pages
    answer = await customer.says("有没有蓝色的？", 0.95)
    assert (answer.text, answer.degraded) == (RETURNS.answer, False)
