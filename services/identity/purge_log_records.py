"""Log-like records whose period has ended (R-12, R-22). A unit is a day; a month that is wholly due leaves at once.

The run that destroys takes a moment however much is in a month: it destroys the salts of the days and takes the month's
partition out of the data, and looks at no single row. How many they are is counted before, when the plan is made, and
from then on the day is closed: it takes nothing more. The files go right after that commit, in a transaction of their
own, since to free them takes the file system a while; a plan is not verified while they are there.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import holds
from chassis.cutoffs import Cutoffs
from chassis.purge_category import Category, Destroyed, Sample
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
_DETACH = text("SELECT detach_month(:kind, :month, CAST(:units AS text[]))")
REMOVE = text("SELECT remove_destroyed_months()")
_NOT_REMOVED = text("SELECT count(*) FROM destroyed_month WHERE name = ANY(CAST(:names AS text[]))")
_DELETE = "DELETE FROM {kind}_record WHERE event_date = ANY(CAST(:days AS date[]))"
# From the holds to the rows, hold by hold through the tables' indexes: a month's other rows are not looked at. OFFSET 0
# keeps the planner to that.
_HELD = """
SELECT r.event_date FROM legal_hold AS h CROSS JOIN LATERAL (
    SELECT m.event_date FROM {kind}_record AS m
    WHERE m.member_id = h.member_id AND m.event_date = ANY(CAST(:days AS date[])) OFFSET 0) AS r
WHERE h.member_id IS NOT NULL
UNION
SELECT r.event_date FROM legal_hold AS h CROSS JOIN LATERAL (
    SELECT m.event_date FROM {kind}_record AS m
    WHERE m.record_id = h.record_id AND m.event_date = ANY(CAST(:days AS date[])) OFFSET 0) AS r
WHERE h.record_id IS NOT NULL
"""
_DELETE_OTHERS = f"""
DELETE FROM {{kind}}_record AS r
WHERE r.event_date = ANY(CAST(:days AS date[])) AND NOT {holds.held("r.member_id", "r.record_id")}
"""
_UNCOUNT = text("DELETE FROM closed_day WHERE unit = ANY(CAST(:units AS text[]))")


class EndedDays(Category):
    """A category's part in chassis.purge.

    ``kind``: the kind of record that stands under it. ``version_on``: the version of the policy in force on a day, which
    what is recorded on that day is collected under.
    """

    def __init__(self, kind: str, version_on: Callable[[date], str]) -> None:
        self._kind = kind
        self._version_on = version_on
        self._table = f"{kind}_record"
        self._living, self._close, self._count, self._sample, self._delete = (
            text(statement.format(kind=kind)) for statement in (_LIVING, _CLOSE, _COUNT, _SAMPLE, _DELETE)
        )
        self._held, self._delete_others = (text(statement.format(kind=kind)) for statement in (_HELD, _DELETE_OTHERS))

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
        """Destroy the days' salts, then their rows: by partition where the month is wholly due, else by row.

        What remains of a partition are its files; ``finish`` removes them.
        """
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

    async def held(self, connection: AsyncConnection, units: Sequence[str]) -> Collection[str]:
        """Return the days that have rows which a hold keeps; their salts have to stay, and so have their months."""
        return [self._unit(day) for day in await connection.scalars(self._held, {"days": self._days(units)})]

    async def thin_out(self, connection: AsyncConnection, cutoffs: Cutoffs, held: Sequence[str]) -> Destroyed:
        """Destroy the rows of everybody else on held days, one by one, and count anew: the days stay closed."""
        due = [unit for unit in held if self._is_due(self._day(unit), cutoffs)]
        days = self._days(due)
        rows = (await connection.execute(self._delete_others, {"days": days})).rowcount
        await connection.execute(_UNCOUNT, {"units": due})
        await connection.execute(self._close, {"units": due, "days": days})
        return Destroyed({self._table: rows})

    async def finish(self, engine: AsyncEngine) -> None:
        """Remove the files of the months that have left, whichever run destroyed them: one that was cut short too."""
        async with engine.begin() as connection:
            await connection.execute(REMOVE)

    async def left(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return what is left of destroyed days and must not be: rows, living salts, and months whose files are there."""
        months = {day.replace(day=1) for day in self._days(units)}
        names = [f"{self._table}_{month:%Y_%m}_destroyed" for month in months]
        not_removed = await connection.scalar(_NOT_REMOVED, {"names": names})
        return {**await super().left(connection, units), "destroyed months not removed": not_removed or 0}

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return nothing: a day is not a data subject, and whose records it holds is of no concern to a purge."""
        return []

    async def _empty(self, connection: AsyncConnection, month: date, days: Sequence[date], cutoffs: Cutoffs) -> int:
        """Destroy the rows of these days, whose salts are gone, and return how many they were.

        A month leaves as a whole if all of it is due and no other day of it has a salt: such a day may have rows, and
        they are not of this set.
        """
        units = [self._unit(day) for day in days]
        all_days = [month + timedelta(days=number) for number in range((_following(month) - month).days)]
        if all(self._is_due(day, cutoffs) for day in all_days):
            month_of = {"kind": self._kind, "month": month, "units": units}
            if (counted := await connection.scalar(_DETACH, month_of)) is not None:
                return int(counted)
        await connection.execute(_UNCOUNT, {"units": units})
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
