"""Who a visitor of a website is: a signed token, and, where the site vouches for it, its own user."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

from bot.errors import VisitorRejected

TOKEN_SECONDS = 12 * 3_600
RENEWAL_SECONDS = 30 * 86_400
"""How long a token can be exchanged for a new one, so that who comes back finds what an agent wrote meanwhile."""

KEPT_IN = "visitors.secret"
"""Where it was before it was kept in the database."""

_NOT_VALID = "the visitor's token is not valid any more"
_STRANGER = "v-"
_USER = "u-"


class Visitors:
    """Gives visitors tokens and reads them."""

    def __init__(self, secret: str, identity_secret: str | None = None) -> None:
        """Sign with `secret`; `identity_secret` is shared with the site that vouches for its users."""
        self._serializer = URLSafeTimedSerializer(secret, salt="frontdesk visitor")
        self._identity_secret = identity_secret

    def issue(self, visitor: str | None = None) -> tuple[str, str]:
        """Return a visitor, a new one if none is given, and a token of theirs."""
        visitor = visitor or f"{_STRANGER}{secrets.token_urlsafe(16)}"
        return visitor, str(self._serializer.dumps(visitor))

    def read(self, token: str) -> str:
        """Return the visitor of a token.

        Raises:
            VisitorRejected: it is forged or older than TOKEN_SECONDS.
        """
        return self._read(token, TOKEN_SECONDS)

    def read_for_renewal(self, token: str) -> str:
        """Return the visitor of a token that may have expired.

        Raises:
            VisitorRejected: it is forged or older than RENEWAL_SECONDS.
        """
        return self._read(token, RENEWAL_SECONDS)

    def _read(self, token: str, seconds: int) -> str:
        """A token from the future is young: a clock was set back, or is behind that of the replica that signed it."""
        try:
            visitor, signed = self._serializer.loads(token, return_timestamp=True)
        except BadSignature as error:
            raise VisitorRejected("invalid_token", _NOT_VALID) from error
        if (datetime.now(UTC) - signed).total_seconds() > seconds:
            raise VisitorRejected("invalid_token", _NOT_VALID)
        return str(visitor)

    def identify(self, user: str, signature: str) -> str:
        """Return the visitor that a site's user is, on every device.

        `signature` is the HMAC-SHA256 of the user's identifier under the identity secret, in hex.

        Raises:
            VisitorRejected: the signature is wrong, or no identity secret is set.
        """
        if self._identity_secret is None:
            raise VisitorRejected(
                "wrong_signature", "visitors.identity_secret is not set, so no user can be vouched for"
            )
        expected = hmac.new(self._identity_secret.encode(), user.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
            raise VisitorRejected("wrong_signature", "the signature does not belong to this user")
        return visitor_of_user(user)


def visitor_of_user(user: str) -> str:
    """Return the visitor that a site's user is; the user's identifier is not kept."""
    return f"{_USER}{hashlib.sha256(user.encode()).hexdigest()[:32]}"


def is_stranger(visitor: str) -> bool:
    """Say whether a visitor is known by a token alone, so that nobody vouches for them."""
    return visitor.startswith(_STRANGER)


def new_secret(folder: Path) -> str:
    """Return a secret to sign tokens with: the one that earlier versions kept in `folder`, so that they stay valid."""
    kept = folder / KEPT_IN
    return kept.read_text(encoding="ascii") if kept.is_file() else secrets.token_hex(32)
