"""The channels in examples/, as a third party would ship them: installed by an entry point, proven by the contract."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fastapi import Response
from fastapi.responses import JSONResponse

from bot.errors import SendFailed
from connectors.contract import ConnectorContract
from tests.bot.fakes import RETURNS
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms.recorder import Post, Recorder

PLUGINS = Path(__file__).parents[2] / "examples" / "connectors"
AWAY = "http://127.0.0.1:9"


def load(name: str) -> ModuleType:
    folder = str(PLUGINS / name)
    if folder not in sys.path:
        sys.path.append(folder)
    return import_module(f"frontdesk_{name}")


def seal(event: dict[str, Any], key: str = "encrypt-key") -> tuple[bytes, dict[str, str]]:
    """Encrypt and sign as Feishu does: AES-256-CBC under the key's SHA-256, PKCS#7."""
    text, vector = json.dumps(event).encode(), b"0123456789abcdef"
    text += bytes([16 - len(text) % 16]) * (16 - len(text) % 16)
    encryptor = Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(vector)).encryptor()
    sealed = base64.b64encode(vector + encryptor.update(text) + encryptor.finalize()).decode()
    body, stamp = json.dumps({"encrypt": sealed}).encode(), str(int(time.time()))
    signature = hashlib.sha256(f"{stamp}n{key}".encode() + body).hexdigest()
    names = ("Request-Timestamp", "Request-Nonce", "Signature")
    return body, {f"X-Lark-{name}": value for name, value in zip(names, (stamp, "n", signature), strict=True)}


def feishu_event(text: str, message_id: str = "om_1", chat: str = "oc_1", kind: str = "text") -> dict[str, Any]:
    message = {"message_id": message_id, "chat_id": chat, "message_type": kind, "content": json.dumps({"text": text})}
    event = {"sender": {"sender_id": {"open_id": "ou_1"}}, "message": message}
    return {"schema": "2.0", "header": {"event_type": "im.message.receive_v1"}, "event": event}


def dingtalk_message(text: str, message_id: str = "msg1", **more: Any) -> dict[str, Any]:
    message = {"msgId": message_id, "msgtype": "text", "text": {"content": f" {text} "}, "senderStaffId": "li"}
    return {**message, "conversationType": "1", "conversationId": "cid1", **more}


def dingtalk_headers(secret: str = "secret", at: float | None = None) -> dict[str, str]:
    stamp = str(int((at or time.time()) * 1_000))
    digest = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), "sha256")
    return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}


class TestFeishu(ConnectorContract):
    connector_class = load("feishu").Feishu
    settings: ClassVar = {"app_id": "cli_1", "app_secret": "app-secret", "encrypt_key": "encrypt-key", "api": AWAY}
    required = ("app_id", "app_secret", "encrypt_key")
    secrets = ("app-secret", "encrypt-key")

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        body, headers = seal(feishu_event(text, message_id))
        return await client.post(f"{self.path}/events", content=body, headers=headers)

    def fits(self, message: Mapping[str, Any]) -> bool:
        return len(message["content"].encode()) <= 150_000

    def text_in(self, message: Mapping[str, Any]) -> str:
        return str(json.loads(message["content"])["text"])


class TestDingTalk(ConnectorContract):
    connector_class = load("dingtalk").DingTalk
    settings: ClassVar = {"app_key": "ding1", "app_secret": "secret", "api": AWAY}
    required = ("app_key", "app_secret")
    secrets = ("'secret'",)

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        body = dingtalk_message(text, message_id)
        return await client.post(f"{self.path}/messages", json=body, headers=dingtalk_headers())

    def fits(self, message: Mapping[str, Any]) -> bool:
        return len(message["msgParam"].encode()) <= 15_000

    def text_in(self, message: Mapping[str, Any]) -> str:
        return str(json.loads(message["msgParam"])["text"])


class Platform(Recorder):
    """Feishu's or DingTalk's API; it takes the token back as often as `stale` says."""

    def __init__(self, stale: int = 0, stale_status: int = 400) -> None:
        super().__init__()
        self.stale, self.stale_status = [True] * stale, stale_status

    def reply(self, post: Post) -> Response:
        if post.path.endswith(("/internal", "/accessToken")):
            wrong = "wrong" in post.body.decode()
            token = {"tenant_access_token": "t-1", "accessToken": "t-1", "expire": 7_200, "expireIn": 7_200}
            return JSONResponse({"code": 10014, "msg": "app secret invalid"} if wrong else {"code": 0, **token})
        if self.stale and self.stale.pop():
            return JSONResponse({"code": 99991663, "msg": "Invalid access token for authorization"}, self.stale_status)
        return JSONResponse({"code": 0})

    def sent(self, count: int) -> list[Post]:
        self.wait_for(count + 1)
        return [post for post in self.posts if not post.path.endswith(("/internal", "/accessToken"))]


@pytest.fixture
def platform() -> Iterator[tuple[Platform, str]]:
    fake = Platform()
    with serving(fake.app()) as address:
        yield fake, address


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install both as pip would: their folders on the path, and their entry points in a dist-info."""
    for name, kind in (("feishu", "Feishu"), ("dingtalk", "DingTalk")):
        info = tmp_path / "site" / f"frontdesk_{name}-0.1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: frontdesk-{name}\nVersion: 0.1.0\n")
        (info / "entry_points.txt").write_text(f"[frontdesk.connectors]\n{name} = frontdesk_{name}:{kind}\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.mark.usefixtures("installed")
def test_feishu_on_a_whole_server(site: Site, platform: tuple[Platform, str]) -> None:
    fake, api = platform
    site.settings = {"channels": {"feishu": {**TestFeishu.settings, "api": api}}}
    with site.served() as address:
        url = f"{address}/channels/feishu/events"
        challenge, _ = seal({"type": "url_verification", "challenge": "c-1", "token": "t"})
        assert httpx.post(url, content=challenge).json() == {"challenge": "c-1"}
        body, headers = seal(feishu_event("@_user_1 怎么退货？"))
        assert httpx.post(url, content=body, headers=headers).status_code == 200
        [sent] = fake.sent(1)
        assert httpx.post(url, content=body, headers={**headers, "X-Lark-Signature": "0"}).status_code == 401
        assert httpx.post(url, content=seal(feishu_event("?"), "other")[0], headers=headers).status_code == 400
        assert httpx.post(url, json={"hello": 1}).status_code == 400
    assert site.knowledge.queries[0].text == "怎么退货？"
    assert (sent.json["receive_id"], json.loads(sent.json["content"])["text"]) == ("oc_1", RETURNS.answer)
    assert sent.headers["authorization"] == "Bearer t-1"
    assert len(sent.json["uuid"]) == 40


@pytest.mark.usefixtures("installed")
def test_dingtalk_on_a_whole_server(site: Site, platform: tuple[Platform, str]) -> None:
    fake, api = platform
    site.settings = {"channels": {"dingtalk": {**TestDingTalk.settings, "api": api}}}
    with site.served() as address:
        url = f"{address}/channels/dingtalk/messages"
        assert httpx.post(url, json=dingtalk_message("怎么退货？"), headers=dingtalk_headers()).status_code == 200
        fake.sent(1)
        in_group = dingtalk_message("怎么退货？", "msg2", conversationType="2")
        httpx.post(url, json=in_group, headers=dingtalk_headers())
        alone, group = fake.sent(2)
        for forged in (dingtalk_headers("other"), dingtalk_headers(at=1.0), {}):
            assert httpx.post(url, json=dingtalk_message("?", "m3"), headers=forged).status_code == 401
        assert httpx.post(url, json={}, headers=dingtalk_headers()).status_code == 400
    assert (alone.path, alone.json["userIds"]) == ("/v1.0/robot/oToMessages/batchSend", ["li"])
    assert (group.path, group.json["openConversationId"]) == ("/v1.0/robot/groupMessages/send", "cid1")
    assert json.loads(alone.json["msgParam"])["text"] == RETURNS.answer
    assert alone.headers["x-acs-dingtalk-access-token"] == "t-1"


@pytest.mark.parametrize("stale", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize(("kind", "status"), [(TestFeishu, 400), (TestDingTalk, 401)])
async def test_a_token_that_is_not_taken_is_replaced(kind: type[ConnectorContract], status: int, stale: int) -> None:
    fake = Platform(stale, status)
    with serving(fake.app()) as api:
        connector = kind.connector_class(kind.connector_class.Settings(**{**kind.settings, "api": api}))
        address, [message] = {"chat": "oc_1", "user": "li"}, connector.from_text("您好")
        if stale == 2:
            with pytest.raises(SendFailed):
                await connector.send(address, message, "m-1")
        await connector.send(address, message, "m-1")
        await connector.close()
    tokens = [post for post in fake.posts if post.path.endswith(("/internal", "/accessToken"))]
    assert (len(tokens), len(fake.posts)) == (2, 3 + stale)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("sealed", [b"", b"x" * 16, b"x" * 17, b"x" * 32])
def test_what_feishu_never_sealed_is_refused(site: Site, platform: tuple[Platform, str], sealed: bytes) -> None:
    site.settings = {"channels": {"feishu": {**TestFeishu.settings, "api": platform[1]}}}
    body = {"encrypt": base64.b64encode(sealed).decode()}
    with site.served() as address:
        assert httpx.post(f"{address}/channels/feishu/events", json=body).status_code == 400


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["feishu", "dingtalk"])
def test_a_wrong_secret_is_said(site: Site, platform: tuple[Platform, str], name: str) -> None:
    settings = TestFeishu.settings if name == "feishu" else TestDingTalk.settings
    site.settings = {"channels": {name: {**settings, "app_secret": "wrong", "api": platform[1]}}}
    with site.served() as address, site.owner(address) as owner:
        tested = owner.post(f"/api/admin/channels/{name}/test").json()
    assert tested["works"] is False
    assert "does not take" in tested["message"]


@pytest.mark.parametrize("name", ["feishu", "dingtalk"])
def test_each_has_fewer_than_a_hundred_lines(name: str) -> None:
    source = (PLUGINS / name / f"frontdesk_{name}.py").read_text()
    assert len([line for line in source.splitlines() if line.strip()]) < 100
