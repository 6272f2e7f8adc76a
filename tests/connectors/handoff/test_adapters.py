"""Ways to tell people that one of them is wanted, each against what it writes to."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from bot.errors import SendFailed, SendRefused
from bot.question import Message
from connectors.base import Call
from connectors.handoff import notice
from connectors.handoff.mail import Email
from connectors.handoff.wecom_robot import MAX_BYTES, WecomRobot
from tests.bot.servers import serving, unused_port
from tests.connectors.platforms.misbehaviour import down, says
from tests.connectors.platforms.recorder import Recorder

CALL = Call(
    conversation_id="c1",
    channel="wecom",
    reason="asked",
    summary="怎么退货\n / 转人工",
    transcript=[Message("customer", "怎么退货"), Message("bot", "7 天内"), Message("customer", "转人工")],
)


def robot(api: str, **more: Any) -> WecomRobot:
    return WecomRobot(WecomRobot.Settings(key="k-1", api=api, **more))


class TestWecomRobot:
    @pytest.fixture
    def group(self) -> Iterator[tuple[Recorder, str]]:
        recorder = Recorder(answer={"errcode": 0, "errmsg": "ok"})
        with serving(recorder.app()) as address:
            yield recorder, address

    async def test_the_group_reads_who_wants_what(self, group: tuple[Recorder, str]) -> None:
        recorder, address = group
        adapter = robot(address, mention=["@all"], console_url="https://bot.example.com/admin/")
        await adapter.call(CALL)
        await adapter.close()
        [post] = recorder.posts
        assert (post.path, post.query) == ("/cgi-bin/webhook/send", {"key": "k-1"})
        text = post.json["text"]
        assert text["mentioned_list"] == ["@all"]
        assert "客户 Customer: 转人工" in text["content"]
        assert text["content"].endswith("https://bot.example.com/admin#/inbox/c1")

    async def test_a_long_notice_is_cut(self, group: tuple[Recorder, str]) -> None:
        recorder, address = group
        adapter = robot(address)
        await adapter.call(Call(**{**CALL.__dict__, "summary": "长" * 5_000}))
        await adapter.close()
        assert len(recorder.posts[0].json["text"]["content"].encode()) <= MAX_BYTES

    @pytest.mark.parametrize(
        ("code", "raised", "said"),
        [(45009, SendFailed, "too often"), (93000, SendRefused, "no WeCom group robot"), (-1, SendFailed, "-1")],
    )
    async def test_what_wecom_says_against_it(
        self, group: tuple[Recorder, str], code: int, raised: type[Exception], said: str
    ) -> None:
        recorder, address = group
        recorder.script.then(says({"errcode": code, "errmsg": "?"}))
        adapter = robot(address)
        with pytest.raises(raised, match=said):
            await adapter.check()
        recorder.script.then(down)
        with pytest.raises(SendFailed):
            await adapter.check()
        assert await adapter.check() == "WeCom group"
        assert recorder.posts[0].json["text"]["content"] == notice.TEST
        await adapter.close()


class Mailbox:
    """A mail server's handler."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"


class TestEmail:
    @pytest.fixture
    def server(self) -> Iterator[tuple[Mailbox, int]]:
        def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            return AuthResult(success=data.password == b"right", handled=False)

        mailbox, port = Mailbox(), unused_port()
        controller = Controller(
            mailbox, hostname="127.0.0.1", port=port, authenticator=authenticate, auth_require_tls=False
        )
        controller.start()
        yield mailbox, port
        controller.stop()

    def adapter(self, port: int, **more: Any) -> Email:
        settings = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "bot@shop.cn", "to": ["a@shop.cn"]}
        return Email(Email.Settings(**(settings | more)))

    async def test_the_mail_says_who_wants_what(self, server: tuple[Mailbox, int]) -> None:
        mailbox, port = server
        await self.adapter(port, username="bot", password="right", to=["a@shop.cn", "b@shop.cn"]).call(CALL)
        [mail] = mailbox.mails
        assert mail["Subject"] == "🙋 客户需要人工 A customer wants a person: 怎么退货 / 转人工"
        assert (mail["From"], mail["To"]) == ("bot@shop.cn", "a@shop.cn, b@shop.cn")
        assert "机器人 Bot: 7 天内" in mail.get_content()
        assert "客户要求人工" in mail.get_content()

    async def test_the_test_is_a_mail_too(self, server: tuple[Mailbox, int]) -> None:
        assert await self.adapter(server[1]).check() == "a@shop.cn"
        assert server[0].mails[0]["Subject"] == notice.TEST

    async def test_a_wrong_password_is_said(self, server: tuple[Mailbox, int]) -> None:
        with pytest.raises(SendRefused, match="username and password"):
            await self.adapter(server[1], username="bot", password="wrong").call(CALL)

    async def test_an_address_that_is_refused_is_said(self, server: tuple[Mailbox, int]) -> None:
        server[0].refuses = True
        with pytest.raises(SendRefused, match=r"a@shop\.cn"):
            await self.adapter(server[1]).call(CALL)

    @pytest.mark.parametrize("security", ["none", "tls"])
    async def test_a_server_that_is_away_is_tried_again(self, security: str) -> None:
        with pytest.raises(SendFailed, match="no mail could be sent"):
            await self.adapter(unused_port(), security=security).call(CALL)
