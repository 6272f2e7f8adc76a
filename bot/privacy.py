"""Masking personal data before it is logged or leaves this machine."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.ASCII)
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")

_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10X98765432"


def mask(text: str) -> str:
    """Replace e-mail addresses, ID numbers, bank cards and mobile numbers; order numbers and prices stay."""
    text = _EMAIL.sub("[email]", text)
    text = _IDENTITY.sub(lambda match: "[id]" if is_identity_number(match[0]) else match[0], text)
    text = _MOBILE.sub("[phone]", text)
    return _CARD.sub(lambda match: "[card]" if passes_luhn(re.sub(r"\D", "", match[0])) else match[0], text)


def is_identity_number(number: str) -> bool:
    """Check the last character of a Chinese citizen's ID number (GB 11643, ISO 7064 mod 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_IDENTITY_WEIGHTS, number, strict=False))
    return _IDENTITY_CHECKS[total % 11] == number[-1].upper()


def passes_luhn(digits: str) -> bool:
    """Check the last digit of a card number (ISO/IEC 7812, Luhn)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
