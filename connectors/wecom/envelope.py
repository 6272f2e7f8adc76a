"""The signed and encrypted envelopes of WeCom's callbacks: https://developer.work.weixin.qq.com/document/path/96466."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Annotated

from pydantic import AfterValidator, SecretStr
from wechatpy.enterprise.crypto import PrpCrypto
from wechatpy.exceptions import WeChatException

from bot.errors import ChannelError

CLOCK_SECONDS = 3_600
"""What is older was sent before; an answered message is remembered for much longer."""


def _is_aes_key(key: SecretStr) -> SecretStr:
    """Return an EncodingAESKey: 43 characters that hold 32 bytes."""
    try:
        is_key = len(base64.b64decode(key.get_secret_value() + "=", validate=True)) == 32
    except ValueError:
        is_key = False
    if not is_key:
        raise ValueError("this is no EncodingAESKey; it has 43 letters and digits")
    return key


AesKey = Annotated[SecretStr, AfterValidator(_is_aes_key)]


class EnvelopeRefused(ChannelError):
    """An envelope is forged, broken, too old, or for somebody else."""


class Envelopes:
    """Opens and seals envelopes; `receive_id` is the CorpID, or empty for an AI bot."""

    def __init__(self, token: SecretStr, aes_key: SecretStr, receive_id: str) -> None:
        """Take the three values that WeCom shows where the callback is set up."""
        self._token, self._receive_id = token.get_secret_value(), receive_id
        self._crypto = PrpCrypto(base64.b64decode(aes_key.get_secret_value() + "="))

    def open(self, encrypted: str, *, signature: str, timestamp: str, nonce: str) -> str:
        """Return what is in an envelope.

        Raises:
            EnvelopeRefused: its signature, its time or its receiver is wrong.
        """
        if not hmac.compare_digest(self._sign(encrypted, timestamp, nonce).encode(), signature.encode()):
            raise EnvelopeRefused("the signature is wrong: do token and EncodingAESKey agree with WeCom's console?")
        if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > CLOCK_SECONDS:
            raise EnvelopeRefused(f"the time {timestamp!r} is far from ours: is this machine's clock right?")
        try:
            return str(self._crypto.decrypt(encrypted, self._receive_id))
        except WeChatException as error:
            raise EnvelopeRefused("this is for another company: is corp_id right?") from error
        except Exception as error:  # whatever the cipher, the padding or the encoding stumbles over
            raise EnvelopeRefused("it cannot be decrypted") from error

    def seal(self, text: str, *, timestamp: str, nonce: str) -> tuple[str, str]:
        """Return a text encrypted, and its signature."""
        encrypted = self._crypto.encrypt(text, self._receive_id).decode()
        return encrypted, self._sign(encrypted, timestamp, nonce)

    def _sign(self, encrypted: str, timestamp: str, nonce: str) -> str:
        parts = sorted([self._token, timestamp, nonce, encrypted])
        return hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
