"""Tokens: random, typed, checksummed; never a number, never Luhn-valid, nothing of the instrument in them (PV-06)."""

import re
import secrets
import zlib
from datetime import datetime
from typing import NamedTuple

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648 base 32, lower case
_PAIRS = [second + first for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time, the low five first
_RANDOM = 26  # 130 bits
_CHECK = 4  # 20 bits: of a million junk tokens one reaches the database
_PREFIXES = {"card": "tok_card_", "bank_account": "tok_acct_", "cash_receipt": "tok_rcpt_"}
_FORM = re.compile(rf"(tok_(?:card|acct|rcpt)_)([a-z2-7]{{{_RANDOM}}})([a-z2-7]{{{_CHECK}}})")
# A long run of digits could be taken for a number by a scanner, or by a person.
_DIGIT_RUN = re.compile(r"\d{6}")


class Stored(NamedTuple):
    """A token that stands in the table, and how long it does."""

    token: str
    created_at: datetime
    expires_at: datetime | None
    one_time: bool


def new_token(kind: str) -> str:
    """Return a new token for an instrument of this kind: ``card``, ``bank_account`` or ``cash_receipt``."""
    while True:
        value = secrets.randbits(5 * _RANDOM)
        head = _PREFIXES[kind] + _spell(value, _RANDOM)
        token = head + _checksum(head)
        if not _DIGIT_RUN.search(token):
            return token


def is_token(text: str) -> bool:
    """Return whether the text can be one of our tokens; junk is known without asking the database."""
    match = _FORM.fullmatch(text)
    return match is not None and _checksum(match[1] + match[2]) == match[3]


def _checksum(head: str) -> str:
    return _spell(zlib.crc32(head.encode()), _CHECK)


def _spell(value: int, length: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(0, 5 * length, 10)])
