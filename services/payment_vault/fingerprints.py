"""The two fingerprints of an instrument: by its number, and by everything that was registered of it (PV-07).

Vault's HMAC of the number, apart for each kind and member, is a key that nobody stores; both fingerprints are HMACs under
it (RFC 2104, SHA-256). So one request item to Vault gives two, and whoever has them can try no number and no expiry:
neither fingerprint can be computed from the other.
"""

import hmac
from binascii import b2a_base64
from typing import NamedTuple

from services.payment_vault.forms import Form


class Fingerprints(NamedTuple):
    """Base64, 44 characters each. ``number``: alike for each expiry of a card; ``whole``: of one instrument alone."""

    number: str
    whole: str


def key_input(form: Form, member_id: str) -> bytes:
    """Return what Vault makes the key of."""
    return f"number|{form.kind}|{member_id}|{form.number}".encode()


def fingerprints(key: str, form: Form, request: str = "") -> Fingerprints:
    """Return both. ``key``: Vault's digest of ``key_input``; ``request``: set where the token is one request's alone."""
    whole = f"own|{form.whole}|{request}" if request else f"instrument|{form.whole}"
    secret = key.encode()
    return Fingerprints(_digest(secret, b"number"), _digest(secret, whole.encode()))


def _digest(key: bytes, content: bytes) -> str:
    return b2a_base64(hmac.digest(key, content, "sha256"), newline=False).decode("ascii")
