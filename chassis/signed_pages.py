"""Page tokens that are signed for the RPC, the caller and the subject that they were given for.

Somebody who makes one up, changes one or uses another's learns nothing: it is no page token. The signature is an HMAC by the
key service; after a rotation of its key a listing begins again.
"""

import hmac
import json
from typing import Any

from chassis import page
from chassis.call import Call
from chassis.errors import PageTokenInvalid
from chassis.page import Part
from chassis.transit import Transit


class SignedPages:
    """Signs positions and knows its signature again. ``key``: of the key service, for HMAC."""

    def __init__(self, transit: Transit, key: str) -> None:
        self._transit = transit
        self._key = key

    async def issue(self, call: Call, subject: str, *position: str) -> str:
        """Return the token of the page after the row with this key. Raises KeyServiceUnavailable."""
        return page.token(*position, await self._sign(call, subject, position))

    async def read(self, call: Call, subject: str, page_token: str, *parts: Part) -> tuple[Any, ...] | None:
        """Return the key, each part read by its function, or None for the first page.

        Raises PageTokenInvalid, KeyServiceUnavailable.
        """
        if not page_token:
            return None
        *position, signature = page.key(page_token, *[_ascii] * (len(parts) + 1)) or ()
        if not hmac.compare_digest(signature, await self._sign(call, subject, position)):
            raise PageTokenInvalid
        return page.key(page.token(*position), *parts)

    async def _sign(self, call: Call, subject: str, position: Any) -> str:
        content = json.dumps(["page", call.method.name, call.caller.spiffe_id, subject, *position])
        [signature] = await self._transit.hmac(self._key, [content.encode()])
        return signature


def _ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("nothing that was issued")
    return text
