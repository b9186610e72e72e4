"""Opaque page tokens: the key of the last row shown, in base64. They hold random ids and times, nothing personal."""

import base64
import binascii
import json
from collections.abc import Sequence

from chassis import errors


def token(*key: str) -> str:
    """Return the token of the page after the row with this key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key(page_token: str, parts: int) -> Sequence[str] | None:
    """Return the key that a token holds, or None for the first page. Raises PageTokenInvalid."""
    if not page_token:
        return None
    try:
        data = json.loads(base64.b64decode(page_token + "=" * (-len(page_token) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise errors.PageTokenInvalid from None
    if not isinstance(data, list) or len(data) != parts or not all(isinstance(part, str) for part in data):
        raise errors.PageTokenInvalid
    return data
