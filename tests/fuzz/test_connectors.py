"""What platforms send, made up and damaged, and texts on their way to customers."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier
from wechatpy.enterprise.crypto import PrpCrypto

from connectors import text, webhook
from connectors.slack import blocks
from connectors.wecom.aibot import cut
from connectors.wecom.envelope import EnvelopeRefused, Envelopes
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms import slack, wecom
from tests.connectors.platforms.slack import FakeSlack
from tests.connectors.wecom.conftest import app_settings
from tests.fuzz.cases import cases, tried

SECRET = "at least sixteen characters"
NOWHERE = "http://127.0.0.1:9"
KEYS = {"token": wecom.TOKEN, "aes_key": wecom.AES_KEY}

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
"""No floats that JSON does not know."""


def damaged(whole: Any) -> st.SearchStrategy[Any]:
    """Return a JSON value of which some parts are others, or gone."""
    if isinstance(whole, dict):
        parts = {name: damaged(value) for name, value in whole.items()}
        return st.fixed_dictionaries({}, optional=parts) | st.fixed_dictionaries(parts) | json_values
    return st.just(whole) | json_values


CHATWOOT = {
    "event": "message_created",
    "message_type": "incoming",
    "id": 7,
    "content": "怎么退货？",
    "conversation": {"id": 3, "status": "pending"},
    "sender": {"type": "contact", "name": "Anna"},
}
AIBOT = {
    "msgtype": "text",
    "msgid": "m1",
    "chattype": "single",
    "from": {"userid": "anna"},
    "text": {"content": "怎么退货？"},
    "response_url": f"{NOWHERE}/",
}
SLACK = {
    "type": "event_callback",
    "team_id": "T1",
    "api_app_id": "A1",
    "event_id": "E1",
    "event": {
        "type": "message",
        "channel_type": "im",
        "channel": "D1",
        "user": "U1",
        "ts": "1.2",
        "text": "怎么退货？",
    },
}
MESSAGE = {"id": "m1", "thread": "anna", "text": "怎么退货？", "kind": "text"}
RASA = {"sender": "anna", "message": "怎么退货？"}


@pytest.fixture
def platform(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Give a client of a site with every channel that is called; nobody answers there, and nothing is called back."""
    monkeypatch.setattr("bot.channels.dispatch.Dispatcher.run", _rest)
    monkeypatch.setattr("connectors.wecom.aibot_webhook.FIRST_SECONDS", 0.0)
    monkeypatch.setattr("connectors.rasa.rest.WAIT_SECONDS", 0.0)
    with serving(FakeSlack().app()) as workspace:
        site.settings = {
            "visitors": {"per_visitor_per_minute": 0, "per_address_per_minute": 0},
            "channels": {
                "webhook": {"secret": SECRET, "url": NOWHERE},
                "chatwoot": {"url": NOWHERE, "account": 1, "access_token": "token", "token": SECRET},
                "wecom": app_settings(NOWHERE),
                "wecom_bot_webhook": KEYS,
                "slack": {"bot_token": slack.TOKEN, "signing_secret": slack.SECRET, "api": f"{workspace}/api/"},
                "rest": {},
                "callback": {"url": NOWHERE},
            },
        }
        with TestClient(site.app(), raise_server_exceptions=False, client=("127.0.0.1", 50_000)) as client:
            yield client


async def _rest(_dispatcher: Any) -> None:
    return


def _sealed(body: bytes) -> tuple[str, str]:
    """Return a body in WeCom's envelope, and the query that signs it."""
    encrypted = PrpCrypto(base64.b64decode(wecom.AES_KEY + "=")).encrypt(body, wecom.CORP).decode()
    return encrypted, _query(encrypted)


def _query(encrypted: str, nonce: str = "n1") -> str:
    timestamp = str(int(time.time()))
    parts = "".join(sorted([wecom.TOKEN, timestamp, nonce, encrypted]))
    signature = hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()
    return f"msg_signature={signature}&timestamp={timestamp}&nonce={quote(nonce)}"


def _post(client: TestClient, path: str, body: bytes, **headers: str) -> None:
    response = client.post(path, content=body, headers={"Content-Type": "application/json", **headers})
    assert response.status_code < 500, (path, body, response.text)


def _to_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_no_message_of_a_platform_breaks_the_application(platform: TestClient) -> None:
    whole = {"webhook": MESSAGE, "chatwoot": CHATWOOT, "rest": RASA, "callback": RASA, "slack": SLACK, "aibot": AIBOT}

    @cases(0.08)
    @given(st.sampled_from(sorted(whole)).flatmap(lambda name: st.tuples(st.just(name), damaged(whole[name]))))
    def try_it(sent: tuple[str, Any]) -> None:
        name, value = sent
        tried(f"messages of {name}")
        body = _to_json(value)
        if name == "webhook":
            timestamp = str(int(time.time()))
            proof = {webhook.TIMESTAMP: timestamp, webhook.SIGNATURE: webhook.sign(SECRET, timestamp, body)}
            _post(platform, "/channels/webhook/messages", body, **proof)
        elif name == "chatwoot":
            _post(platform, f"/channels/chatwoot/webhook?token={quote(SECRET)}", body)
        elif name == "slack":
            timestamp = str(int(time.time()))
            signature = SignatureVerifier(slack.SECRET).generate_signature(timestamp=timestamp, body=body)
            proof = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": str(signature)}
            _post(platform, "/channels/slack/events", body, **proof)
        elif name == "aibot":
            encrypted = PrpCrypto(base64.b64decode(wecom.AES_KEY + "=")).encrypt(body, "").decode()
            path = f"/channels/wecom_bot_webhook/callback?{_query(encrypted)}"
            _post(platform, path, _to_json({"encrypt": encrypted}))
        else:
            _post(platform, f"/webhooks/{name}/webhook", body)

    try_it()


fields = st.sampled_from(
    ["MsgType", "MsgId", "FromUserName", "Content", "CreateTime", "Event", "AgentID", "Encrypt", "x"]
)
nodes = st.recursive(
    st.text(max_size=6).map(lambda words: f"<![CDATA[{words}]]>"),
    lambda inner: st.tuples(fields, inner).map(lambda node: f"<{node[0]}>{node[1]}</{node[0]}>"),
    max_leaves=3,
)
documents = st.lists(st.tuples(fields, nodes).map(lambda node: f"<{node[0]}>{node[1]}</{node[0]}>"), max_size=6).map(
    lambda inside: f"<xml>{''.join(inside)}</xml>".encode()
)


def test_no_xml_breaks_the_application(platform: TestClient) -> None:
    @cases(0.05)
    @given(documents | st.binary(max_size=60), st.booleans(), st.booleans())
    def try_it(body: bytes, sealed: bool, broken: bool) -> None:
        tried("XML of WeCom")
        encrypted, query = _sealed(body)
        if broken:
            encrypted = encrypted[: len(encrypted) // 2]
            query = _query(encrypted)
        whole = f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode() if sealed else body
        _post(platform, f"/channels/wecom/callback?{query}", whole)

    try_it()


@cases(0.04)
@given(
    st.text(max_size=200) | st.binary(max_size=160).map(lambda raw: base64.b64encode(raw).decode()), st.text(max_size=9)
)
def test_an_envelope_that_is_signed_and_broken_is_refused(encrypted: str, nonce: str) -> None:
    tried("envelopes")
    envelopes = Envelopes(SecretStr(wecom.TOKEN), SecretStr(wecom.AES_KEY), wecom.CORP)
    timestamp = str(int(time.time()))
    parts = "".join(sorted([wecom.TOKEN, timestamp, nonce, encrypted]))
    signature = hashlib.sha1(parts.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    with pytest.raises(EnvelopeRefused):
        envelopes.open(encrypted, signature=signature, timestamp=timestamp, nonce=nonce)


markdown = st.lists(
    st.sampled_from(
        [
            "# ",
            "- ",
            "1. ",
            "> ",
            "**",
            "*",
            "`",
            "```\n",
            "[",
            "](",
            ")",
            "![",
            "<",
            ">",
            "\n",
            "\n\n",
            "|",
            "---",
            "\\",
            "http://a.example",
            "javascript:alert(1)",
            "&amp;",
            "&#0;",
            "退货",
            "word",
            " ",
            "\t",
            "<!--",
            "<script>",
            "👩‍👩‍👧",
        ]
    )
    | st.text(max_size=3),
    max_size=40,
).map("".join)


@cases(0.08)
@given(markdown, st.integers(16, 200))
def test_any_markdown_becomes_text_that_fits(source: str, most: int) -> None:
    tried("Markdown")
    assert all(len(piece.encode()) <= most for piece in text.split(source, most))
    text.plain(source)
    cut(source)
    for block in blocks.of_text(source):
        json.dumps(block).encode()
