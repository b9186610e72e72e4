"""Opaque page tokens: the key of the last row shown, in base64. They hold random ids and times, nothing personal.

A token comes back from a caller, so each part of the key is read as what it must be.
"""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from chassis import errors

Part = Callable[[str], Any]


def token(*key: str) -> str:
    """Return the token of the page after the row with this key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key(page_token: str, *parts: Part) -> tuple[Any, ...] | None:
    """Return the key that a token holds, each part read by its function, or None for the first page.

    Raises PageTokenInvalid.
    """
    if not page_token:
        return None
    try:
        data = json.loads(base64.b64decode(page_token + "=" * (-len(page_token) % 4), b"-_", validate=True))
        if not isinstance(data, list) or len(data) != len(parts) or not all(isinstance(item, str) for item in data):
            raise errors.PageTokenInvalid
        return tuple(part(item) for part, item in zip(parts, data, strict=True))
    except (ValueError, OverflowError, RecursionError, binascii.Error):
        raise errors.PageTokenInvalid from None


def moment(text: str) -> datetime:
    """Read an instant. Raises ValueError or OverflowError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)


def day(text: str) -> date:
    """Read a day. Raises ValueError."""
    return date.fromisoformat(text)


def identifier(text: str) -> str:
    """Read a UUID. Raises ValueError."""
    return str(UUID(text))


def unit(text: str) -> str:
    """Read an erasure unit. Raises ValueError."""
    if not text.isascii() or not text.isprintable() or len(text) > 64:
        raise ValueError("not a unit")
    return text
