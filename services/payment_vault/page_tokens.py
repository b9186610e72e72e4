"""Page tokens of ListTokens: where the page before ended, signed for the caller and the member that it was given to."""

from datetime import datetime
from typing import NamedTuple

from chassis import page
from chassis.call import Call
from chassis.signed_pages import SignedPages
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.tokens import is_token


class Position(NamedTuple):
    """The last row that a page has shown."""

    created_at: datetime
    token: str


class PageTokens:
    """Signs positions and reads them."""

    def __init__(self, transit: Transit) -> None:
        self._pages = SignedPages(transit, keys.INDEX_KEY)

    async def issue(self, call: Call, member_id: str, position: Position) -> str:
        """Return the token of the page after this position. Raises KeyServiceUnavailable."""
        return await self._pages.issue(call, member_id, position.created_at.isoformat(), position.token)

    async def read(self, call: Call, member_id: str, page_token: str) -> Position | None:
        """Return the position, or None for the first page. Raises PageTokenInvalid, KeyServiceUnavailable."""
        found = await self._pages.read(call, member_id, page_token, page.moment, _token)
        return None if found is None else Position(*found)


def _token(text: str) -> str:
    if not is_token(text):
        raise ValueError("not a token")
    return text
