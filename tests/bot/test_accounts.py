from __future__ import annotations

import pytest

from bot.accounts import SCOPES, SCOPES_OF_ROLE, csrf_of, hash_password, hash_token, is_password, new_token
from bot.errors import WeakPassword


def test_a_password_is_known_again_by_its_hash_only() -> None:
    kept = hash_password("correct horse")
    assert kept.startswith("$argon2id$")
    assert is_password("correct horse", kept)
    assert not is_password("Correct horse", kept)
    assert kept != hash_password("correct horse")


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_passwords_of_no_use_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        hash_password(password)


@pytest.mark.parametrize("kept", [None, "", "plain text"])
def test_without_a_hash_no_password_is_right(kept: str | None) -> None:
    assert not is_password("correct horse", kept)


def test_each_role_may_what_the_one_before_it_may() -> None:
    scopes = [set(SCOPES_OF_ROLE[role]) for role in ("viewer", "agent", "editor", "owner")]
    assert scopes[0] < scopes[1] < scopes[2] < scopes[3] == set(SCOPES)


def test_tokens_differ_and_so_does_what_is_derived_from_them() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len({hash_token(token) for token in tokens} | {csrf_of(token) for token in tokens} | tokens) == 300
