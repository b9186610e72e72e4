"""Log-like records whose period has ended (R-12, R-22). A unit is a day; a month that is wholly due is dropped at once.

To drop a month takes a moment however much is in it, and so must all that is done on the way: nothing of the run that
destroys looks at single rows. How many they are is counted before, when the plan is made, and from then on the day is
closed: it takes nothing more.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.cutoffs import Cutoffs
from chassis.purge import Category, Destroyed, Sample
from services.identity import keys

_LIVING = """
SELECT unit FROM erasure_key WHERE unit LIKE '{kind}:%' AND wrapped_salt IS NOT NULL AND unit <= :last
"""
# Writers of a day hold its salt FOR SHARE until they have committed: with this lock, all of a day is there to be counted.
_LOCK = text("""
SELECT unit FROM erasure_key WHERE unit = ANY(CAST(:units AS text[])) AND wrapped_salt IS NOT NULL
ORDER BY unit FOR UPDATE
""")
_CLOSE = """
INSERT INTO closed_day (unit, rows)
SELECT d.unit, coalesce(r.rows, 0) FROM unnest(CAST(:units AS text[]), CAST(:days AS date[])) AS d(unit, day)
LEFT JOIN (SELECT event_date, count(*) AS rows FROM {kind}_record WHERE event_date = ANY(CAST(:days AS date[]))
           GROUP BY event_date) AS r ON r.event_date = d.day
ON CONFLICT (unit) DO NOTHING
"""
_COUNT = "SELECT count(*) FROM {kind}_record WHERE event_date = ANY(CAST(:days AS date[]))"
_DESTROY_SALTS = text("""
WITH locked AS (SELECT unit FROM erasure_key WHERE unit = ANY(CAST(:units AS text[])) ORDER BY unit FOR UPDATE)
UPDATE erasure_key AS k SET wrapped_salt = NULL, destroyed_at = transaction_timestamp()
FROM locked WHERE k.unit = locked.unit AND k.wrapped_salt IS NOT NULL
""")
_SAMPLE = """
SELECT record_id, event_date, sealed FROM {kind}_record WHERE event_date = ANY(CAST(:days AS date[])) LIMIT 1
"""
_COUNTED = text("SELECT unit, rows FROM closed_day WHERE unit = ANY(CAST(:units AS text[]))")
# Nobody adds to any month while the table is locked. It is for a moment: what a month holds makes no difference.
_LOCK_TABLE = "LOCK TABLE ONLY {kind}_record IN ACCESS EXCLUSIVE MODE"
_OPEN = text("""
WITH counted AS (DELETE FROM closed_day WHERE unit = ANY(CAST(:units AS text[])) RETURNING rows)
SELECT count(*) AS days, coalesce(sum(rows), 0)::bigint AS rows,
       EXISTS (SELECT 1 FROM erasure_key WHERE unit = ANY(CAST(:month AS text[])) AND wrapped_salt IS NOT NULL) AS living
FROM counted
""")
_DROP = "SELECT drop_{kind}_record_partition(:month)"
_DELETE = "DELETE FROM {kind}_record WHERE event_date = ANY(CAST(:days AS date[]))"


class EndedDays(Category):
    """A category's part in chassis.purge.

    ``kind``: the kind of record that stands under it. ``version_on``: the version of the policy in force on a day, which
    what is recorded on that day is collected under.
    """

    def __init__(self, kind: str, version_on: Callable[[date], str]) -> None:
        self._kind = kind
        self._version_on = version_on
        self._table = f"{kind}_record"
        self._living, self._close, self._count, self._sample, self._lock_table, self._drop, self._delete = (
            text(statement.format(kind=kind))
            for statement in (_LIVING, _CLOSE, _COUNT, _SAMPLE, _LOCK_TABLE, _DROP, _DELETE)
        )

    async def collect(self, connection: AsyncConnection, cutoffs: Cutoffs, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return the days up to the cut-off of their version that still have a salt; count and close them."""
        living = await connection.scalars(self._living, {"last": self._unit(cutoffs.latest)})
        due = [unit for unit in living if self._is_due(self._day(unit), cutoffs)]
        units = list(await connection.scalars(_LOCK, {"units": due}))
        await connection.execute(self._close, {"units": units, "days": self._days(units)})
        return units

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the rows of these days: as they were counted where a day is closed, else as they are."""
        counted = {row.unit: row.rows for row in await connection.execute(_COUNTED, {"units": list(units)})}
        days = self._days([unit for unit in units if unit not in counted])
        others = await connection.scalar(self._count, {"days": days}) if days else 0
        return {self._table: sum(counted.values()) + (others or 0)}

    async def destroy(self, connection: AsyncConnection, cutoffs: Cutoffs, units: Sequence[str]) -> Destroyed:
        """Destroy the days' salts, then their rows: by partition where the month is wholly due, else by row."""
        due = [unit for unit in units if self._is_due(self._day(unit), cutoffs)]
        days = self._days(due)
        # Writers of these days hold the same rows FOR SHARE; whoever comes later finds the salt gone.
        salts = (await connection.execute(_DESTROY_SALTS, {"units": due})).rowcount
        sample = (await connection.execute(self._sample, {"days": days})).one_or_none()
        rows = {"erasure_key": salts, self._table: 0}
        for month, in_month in groupby(sorted(days), key=lambda day: day.replace(day=1)):
            rows[self._table] += await self._empty(connection, month, list(in_month), cutoffs)
        kept = None
        if sample is not None:
            place = keys.log_place(self._kind, str(sample.record_id))
            kept = Sample(keys.PII_KEY, self._unit(sample.event_date), place, sample.sealed)
        return Destroyed(rows, skipped=sorted(set(units) - set(due)), sample=kept)

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return nothing: a day is not a data subject, and whose records it holds is of no concern to a purge."""
        return []

    async def _empty(self, connection: AsyncConnection, month: date, days: Sequence[date], cutoffs: Cutoffs) -> int:
        """Destroy the rows of these days, whose salts are gone, and return how many they were.

        A month is dropped if all of it is due and no other day of it has a salt: such a day may have rows, and they are
        not of this set.
        """
        all_days = [month + timedelta(days=number) for number in range((_following(month) - month).days)]
        wholly_due = all(self._is_due(day, cutoffs) for day in all_days)
        if wholly_due:
            await connection.execute(self._lock_table)
        units = {"units": [self._unit(day) for day in days], "month": [self._unit(day) for day in all_days]}
        counted = (await connection.execute(_OPEN, units)).one()
        if wholly_due and counted.days == len(days) and not counted.living:
            await connection.execute(self._drop, {"month": month})
            return int(counted.rows)
        return (await connection.execute(self._delete, {"days": list(days)})).rowcount

    def _is_due(self, day: date, cutoffs: Cutoffs) -> bool:
        return day <= cutoffs.of(self._version_on(day))

    def _unit(self, day: date) -> str:
        return keys.day_unit(self._kind, day.isoformat())

    def _day(self, unit: str) -> date:
        return date.fromisoformat(unit.removeprefix(f"{self._kind}:"))

    def _days(self, units: Sequence[str]) -> list[date]:
        return [self._day(unit) for unit in units]


def _following(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
