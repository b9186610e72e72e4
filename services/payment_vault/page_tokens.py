"""Page tokens of ListTokens: where the page before ended, signed for the caller and the member that it was given to.

Somebody who makes one up, changes one or uses another's learns nothing: it is no page token. The signature is an HMAC
under the index key; after a rotation of that key a listing begins again.
"""

import hmac
from datetime import datetime
from typing import NamedTuple

from chassis import page
from chassis.call import Call
from chassis.errors import PageTokenInvalid
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.tokens import is_token


class Position(NamedTuple):
    """The last row that a page has shown."""

    created_at: datetime
    token: str


class PageTokens:
    """Signs positions and knows its signature again."""

    def __init__(self, transit: Transit) -> None:
        self._transit = transit

    async def issue(self, call: Call, member_id: str, position: Position) -> str:
        """Return the token of the page after this position. Raises KeyServiceUnavailable."""
        created_at = position.created_at.isoformat()
        return page.token(created_at, position.token, await self._sign(call, member_id, created_at, position.token))

    async def read(self, call: Call, member_id: str, page_token: str) -> Position | None:
        """Return the position, or None for the first page. Raises PageTokenInvalid, KeyServiceUnavailable."""
        found = page.key(page_token, _ascii, _token, _ascii)
        if found is None:
            return None
        created_at, token, signature = found
        if not hmac.compare_digest(signature, await self._sign(call, member_id, created_at, token)):
            raise PageTokenInvalid
        return Position(page.moment(created_at), token)

    async def _sign(self, call: Call, member_id: str, created_at: str, token: str) -> str:
        # None of the parts can hold the separator: ids, an instant and a token.
        parts = ("page", call.method.name, call.caller.spiffe_id, member_id, created_at, token)
        [signature] = await self._transit.hmac(keys.INDEX_KEY, ["|".join(parts).encode()])
        return signature


def _ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("nothing that was issued")
    return text


def _token(text: str) -> str:
    if not is_token(text):
        raise ValueError("not a token")
    return text
