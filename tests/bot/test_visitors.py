from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path

import pytest

import bot.visitors
from bot.errors import VisitorRejected
from bot.visitors import Visitors, is_stranger, new_secret


def sign(user: str, secret: str = "shared") -> str:
    return hmac.new(secret.encode(), user.encode(), hashlib.sha256).hexdigest()


def test_a_token_is_read_as_the_visitor_it_was_given_to() -> None:
    visitors = Visitors("secret")
    visitor, token = visitors.issue()
    assert visitors.read(token) == visitor


def test_every_new_visitor_is_another() -> None:
    visitors = Visitors("secret")
    assert visitors.issue()[0] != visitors.issue()[0]


def test_a_token_of_another_secret_is_refused() -> None:
    _, token = Visitors("other").issue()
    with pytest.raises(VisitorRejected):
        Visitors("secret").read(token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\x00", "…"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(VisitorRejected):
        Visitors("secret").read(token)


def test_an_old_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    visitors = Visitors("secret")
    _, token = visitors.issue()
    monkeypatch.setattr(bot.visitors, "TOKEN_SECONDS", -1)
    with pytest.raises(VisitorRejected, match="any more"):
        visitors.read(token)


def test_an_old_token_is_renewed_for_some_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    visitors = Visitors("secret")
    visitor, token = visitors.issue()
    monkeypatch.setattr(bot.visitors, "TOKEN_SECONDS", -1)
    assert visitors.read_for_renewal(token) == visitor
    monkeypatch.setattr(bot.visitors, "RENEWAL_SECONDS", -1)
    with pytest.raises(VisitorRejected, match="any more"):
        visitors.read_for_renewal(token)


def test_a_token_of_a_clock_that_is_ahead_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica's clock is, or our own was before it was set back."""
    visitors = Visitors("secret")
    with monkeypatch.context() as patch:
        ahead = int(time.time()) + 90
        patch.setattr("itsdangerous.timed.TimestampSigner.get_timestamp", lambda _: ahead)
        visitor, token = visitors.issue()
    assert visitors.read(token) == visitor
    assert visitors.read_for_renewal(token) == visitor


def test_only_whom_a_site_vouches_for_is_no_stranger() -> None:
    visitors = Visitors("secret", "shared")
    assert is_stranger(visitors.issue()[0])
    assert not is_stranger(visitors.identify("42", sign("42")))


def test_a_user_with_the_sites_signature_is_the_same_visitor_everywhere() -> None:
    first, second = Visitors("one", "shared"), Visitors("two", "shared")
    assert first.identify("42", sign("42")) == second.identify("42", sign("42"))
    assert first.identify("42", sign("42")) != first.identify("43", sign("43"))


@pytest.mark.parametrize("signature", ["", sign("43"), sign("42", "other"), "ж" * 64])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(VisitorRejected):
        Visitors("secret", "shared").identify("42", signature)


def test_without_an_identity_secret_nobody_can_be_vouched_for() -> None:
    with pytest.raises(VisitorRejected, match="identity_secret"):
        Visitors("secret").identify("42", sign("42"))


def test_a_secret_is_new_unless_an_earlier_version_kept_one(tmp_path: Path) -> None:
    assert new_secret(tmp_path) != new_secret(tmp_path)
    (tmp_path / "visitors.secret").write_text("kept")
    assert new_secret(tmp_path) == "kept"
