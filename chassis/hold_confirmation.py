"""A holder's confirmation of what the register of legal holds says (LC-13).

Each change was told once, and a database that was restored from a backup is as it was before some of them. What is as the
register says costs one look and no lock; what is not is set right, together, or the whole is refused.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.holds import Hold, HoldState
from chassis.requested_day import requested_day

_KNOWN = text("""
SELECT CAST(hold_id AS text) AS hold_id, CAST(member_id AS text) AS member_id, CAST(record_id AS text) AS record_id,
    article, placed_on, released
FROM legal_hold WHERE hold_id = ANY(CAST(:ids AS uuid[]))
""")
# Like a hold that is set, it waits for destructions and keeps new ones out; one at a time, so that none waits in a circle.
_ALONE = text("LOCK TABLE legal_hold IN SHARE ROW EXCLUSIVE MODE")
_ADD = text("""
INSERT INTO legal_hold (hold_id, member_id, record_id, article, placed_on)
SELECT * FROM unnest(CAST(:holds AS uuid[]), CAST(:members AS uuid[]), CAST(:records AS uuid[]),
    CAST(:articles AS text[]), CAST(:days AS date[]))
ON CONFLICT (hold_id) DO NOTHING
""")
_LET_GO = text("""
UPDATE legal_hold SET released = true, member_id = NULL, record_id = NULL
WHERE hold_id = ANY(CAST(:ids AS uuid[])) AND NOT released
""")


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is not here as the register says: holds that are missing, and those that are over and stand here."""

    missing: Sequence[Hold]
    leftover: Sequence[Hold]

    def __bool__(self) -> bool:
        return bool(self.missing or self.leftover)

    @property
    def members(self) -> set[str]:
        """The members that these holds are of."""
        return {each.member_id for each in (*self.missing, *self.leftover) if each.member_id}

    @property
    def records(self) -> set[str]:
        """The records that these holds are of."""
        return {each.record_id for each in (*self.missing, *self.leftover) if each.record_id}


@dataclass(frozen=True, slots=True)
class Said:
    """What a request says. ``released``: ids."""

    standing: Sequence[Hold]
    released: Collection[str]

    @classmethod
    def read(cls, request: api.ConfirmHoldsRequest) -> "Said":
        """Raises InvalidField for a day that is none."""
        standing = [_standing(number, hold) for number, hold in enumerate(request.standing)]
        return cls(standing, {hold.hold_id for hold in request.released})

    async def compare(self, connection: AsyncConnection) -> Wrong:
        """Return what is not so here. Raises HoldState for a hold that is another one here, or that was let go of."""
        ids = [*(hold.hold_id for hold in self.standing), *self.released]
        rows = [tuple(row) for row in await connection.execute(_KNOWN, {"ids": ids})]
        here = {hold_id: Hold(hold_id, *rest) for hold_id, *rest, released in rows if not released}
        known = {hold_id for hold_id, *_ in rows}
        if any(hold.hold_id in known and here.get(hold.hold_id) != hold for hold in self.standing):
            raise HoldState
        missing = [hold for hold in self.standing if hold.hold_id not in known]
        return Wrong(missing, [here[hold_id] for hold_id in self.released if hold_id in here])

    async def make_so(self, connection: AsyncConnection, wrong: Wrong) -> None:
        """Set right what is wrong. The transaction has its log row already. Raises HoldState as ``compare`` does."""
        await connection.execute(_ALONE)
        columns = zip(*wrong.missing, strict=True) if wrong.missing else ((),) * 5
        names = ("holds", "members", "records", "articles", "days")
        await connection.execute(_ADD, dict(zip(names, map(list, columns), strict=True)))
        await connection.execute(_LET_GO, {"ids": list(self.released)})
        if await self.compare(connection):  # what was set meanwhile was seen here
            raise HoldState


def _standing(number: int, hold: api.StandingHold) -> Hold:
    placed_on = requested_day(hold.placed_on, f"standing[{number}].placed_on")
    return Hold(hold.hold_id, hold.member_id or None, hold.record_id or None, hold.article, placed_on)
