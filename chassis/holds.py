"""Legal holds (보존 조치, LC-13) at a holder: set by the retention service, and asked by everything that destroys.

There is one way to be safe from a hold that is just being placed: whoever destroys calls ``keep_out_new`` before it takes
any other lock, and then leaves alone what is held. Either the hold comes first and is seen, or it waits until the
destruction has been committed, and is answered after it. Destructions do not wait for one another.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple, Self

from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.errors import Code, DomainError
from chassis.requested_day import requested_day


class LegallyHeld(DomainError):
    """It would be destroyed, and a hold keeps it."""

    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_LEGALLY_HELD
    message = "a legal hold keeps it"


class HoldState(DomainError):
    """A hold of this id stands here and is another one."""

    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_HOLD_STATE
    message = "the hold is not the one that stands under this id"


_KEEP_OUT = text("LOCK TABLE legal_hold IN SHARE MODE")
# Released stays released: a placing that was under way for long does not bring it back.
_SET = text("""
INSERT INTO legal_hold (hold_id, member_id, record_id, article, placed_on, released)
VALUES (CAST(:hold_id AS uuid), CAST(:member_id AS uuid), CAST(:record_id AS uuid), :article, :placed_on, :released)
ON CONFLICT (hold_id) DO UPDATE SET
    released = legal_hold.released OR excluded.released,
    member_id = CASE WHEN excluded.released THEN NULL ELSE legal_hold.member_id END,
    record_id = CASE WHEN excluded.released THEN NULL ELSE legal_hold.record_id END
RETURNING member_id, record_id, article, placed_on, released
""")
_MEMBERS = text("""
SELECT DISTINCT member_id FROM legal_hold WHERE member_id = ANY(CAST(:ids AS uuid[])) AND NOT released
""")
_RECORDS = text("""
SELECT DISTINCT record_id FROM legal_hold WHERE record_id = ANY(CAST(:ids AS uuid[])) AND NOT released
""")
_STANDING = text("""
SELECT hold_id, member_id, record_id, article, placed_on FROM legal_hold WHERE NOT released ORDER BY hold_id
""")


class Hold(NamedTuple):
    """A hold that stands: of one member, or of one record. ``placed_on``: a Korean day."""

    hold_id: str
    member_id: str | None
    record_id: str | None
    article: str
    placed_on: date


class Standing:
    """The holds that stand here, for whoever tells what is kept. They are few: each is an authority's order."""

    def __init__(self, holds: Iterable[Hold] = ()) -> None:
        self._of_members: dict[str | None, list[Hold]] = {}
        self._of_records: dict[str | None, list[Hold]] = {}
        self.articles: dict[str, str] = {}
        for hold in holds:
            known, whose = (self._of_members, hold.member_id) if hold.member_id else (self._of_records, hold.record_id)
            known.setdefault(whose, []).append(hold)
            self.articles[hold.hold_id] = hold.article

    @classmethod
    async def read(cls, connection: AsyncConnection) -> Self:
        """Read them all."""
        return cls(
            Hold(str(row.hold_id), _text(row.member_id), _text(row.record_id), row.article, row.placed_on)
            for row in await connection.execute(_STANDING)
        )

    def of(self, member_id: str, record_id: str = "") -> Sequence[Hold]:
        """Return the holds of a member, and those of a thing of it by its id."""
        return [*self._of_members.get(member_id, ()), *self._of_records.get(record_id, ())]


async def keep_out_new(connection: AsyncConnection) -> None:
    """Let no hold be set before this transaction ends; wait for those that are being set. Before any other lock."""
    await connection.execute(_KEEP_OUT)


async def members(connection: AsyncConnection, ids: Collection[str]) -> set[str]:
    """Return those of the members that are held."""
    return {str(found) for found in await connection.scalars(_MEMBERS, {"ids": list(ids)})}


async def records(connection: AsyncConnection, ids: Collection[str]) -> set[str]:
    """Return those of the things, each by its random id, that are held by that id."""
    return {str(found) for found in await connection.scalars(_RECORDS, {"ids": list(ids)})}


def held(member: str, record: str) -> str:
    """Return the SQL that says whether a row is held. ``member``, ``record``: its columns of type uuid."""
    return (
        f"(EXISTS (SELECT FROM legal_hold AS h WHERE h.member_id = {member} AND NOT h.released)"
        f" OR EXISTS (SELECT FROM legal_hold AS h WHERE h.record_id = {record} AND NOT h.released))"
    )


async def set_hold(connection: AsyncConnection, request: api.SetHoldRequest) -> None:
    """Set a hold, or release it; may be repeated. The transaction has its log row already.

    Raises InvalidField for a day that is none, HoldState where another hold stands under this id.
    """
    placed_on = requested_day(request.placed_on, "placed_on")
    whose = (None, None) if request.released else (request.member_id or None, request.record_id or None)
    wanted = {"article": request.article, "placed_on": placed_on, "released": request.released}
    values = {"hold_id": request.hold_id, "member_id": whose[0], "record_id": whose[1], **wanted}
    row = (await connection.execute(_SET, values)).one()
    known = (_text(row.member_id), _text(row.record_id), row.article, row.placed_on)
    if not row.released and known != (*whose, request.article, placed_on):
        raise HoldState


def _text(value: object) -> str | None:
    return None if value is None else str(value)
