"""ListKept for any holder: what is kept of a subject or of one record, page by page, without a value.

What there is (which tables, which items) is the service's own and comes as a ``Keeper``.
"""

from collections.abc import Sequence
from typing import Protocol

from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import page
from chassis.database import reading

PAGE = 1000
_PARTS = (page.unit, page.unit, page.unit, page.unit)


class Keeper(Protocol):
    """What a service knows of all that it keeps."""

    async def kept(
        self, connection: AsyncConnection, member_id: str | None, record_id: str | None
    ) -> Sequence[api.Kept]:
        """Return one entry for each basis of what is kept of the member, or of the record; exactly one is given."""
        ...


async def list_kept(engine: AsyncEngine, keeper: Keeper, request: api.ListKeptRequest) -> api.ListKeptResponse:
    """Return one page, in an order of its own. Raises PageTokenInvalid, DatabaseUnavailable."""
    after = page.key(request.page_token, *_PARTS)
    async with reading(engine) as connection:
        found = await keeper.kept(connection, request.member_id or None, request.record_id or None)
    rest = sorted((item for item in found if after is None or _key(item) > after), key=_key)
    more = len(rest) > PAGE
    return api.ListKeptResponse(kept=rest[:PAGE], next_page_token=page.token(*_key(rest[PAGE - 1])) if more else "")


def _key(item: api.Kept) -> tuple[str, str, str, str]:
    return item.kind, item.record_id, item.category, item.event_date
