"""ListKept for any holder: what is kept of a subject or of one record, page by page, without a value.

What there is (which tables, which items) is the service's own and comes as a ``Keeper``.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import page
from chassis.database import reading
from chassis.holds import Hold

PAGE = 1000


class Key(NamedTuple):
    """What entries are sorted by, character by character.

    ``record_id``: a UUID, or empty where a thing has none. ``hold_id``: of an entry that is a legal hold, which has no
    category and comes before the bases of the thing.
    """

    kind: str = ""
    record_id: str = ""
    category: str = ""
    event_date: str = ""
    hold_id: str = ""


class Part(NamedTuple):
    """A stretch of all entries: those after a key, and no more than so many."""

    after: Key
    size: int


class Keeper(Protocol):
    """What a service knows of all that it keeps."""

    async def kept(
        self, connection: AsyncConnection, member_id: str | None, record_id: str | None, part: Part | None = None
    ) -> Sequence[api.Kept]:
        """Return one entry for each basis of what is kept of the member, or of the record; exactly one is given.

        And one for each legal hold on each thing that is kept.

        With ``part`` it may leave out whatever is no part of it, and has to, of what there can be many of.
        """
        ...


async def list_kept(engine: AsyncEngine, keeper: Keeper, request: api.ListKeptRequest) -> api.ListKeptResponse:
    """Return one page, in an order of its own. Raises PageTokenInvalid, DatabaseUnavailable."""
    after = Key(*(page.key(request.page_token, page.unit, _id, page.unit, page.unit, _id) or ()))
    part = Part(after, PAGE + 1)  # the one beyond the page tells that there is another
    async with reading(engine) as connection:
        found = await keeper.kept(connection, request.member_id or None, request.record_id or None, part)
    rest = sorted((item for item in found if _key(item) > after), key=_key)
    more = len(rest) > PAGE
    return api.ListKeptResponse(kept=rest[:PAGE], next_page_token=page.token(*_key(rest[PAGE - 1])) if more else "")


def hold_entry(hold: Hold, kind: str, record_id: str, items: Iterable[str], policy_version: str = "") -> api.Kept:
    """Return the entry of a legal hold on a thing: it has no category, and its start is the day of its placing."""
    return api.Kept(
        kind=kind, record_id=record_id, event_date=hold.placed_on.isoformat(), items=sorted(items),
        policy_version=policy_version, hold_id=hold.hold_id,
    )  # fmt: skip


def _key(item: api.Kept) -> Key:
    return Key(item.kind, item.record_id, item.category, item.event_date, item.hold_id)


def _id(text: str) -> str:
    return page.identifier(text) if text else ""
