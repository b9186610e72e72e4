"""R-12: log-in records whose three months have ended. A unit is a day; a month that is wholly due is dropped at once."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.purge import Destroyed, Sample
from services.identity import keys, store

CATEGORY = "R-12"
_PREFIX = "login:"

_DUE = text("""
SELECT unit FROM erasure_key WHERE unit LIKE 'login:%' AND wrapped_salt IS NOT NULL AND unit <= :last ORDER BY unit
""")
_COUNT = text("SELECT count(*) FROM login_record WHERE event_date = ANY(CAST(:days AS date[]))")
_LOCK = text("SELECT unit FROM erasure_key WHERE unit = ANY(CAST(:units AS text[])) ORDER BY unit FOR UPDATE")
_SAMPLE = text(
    "SELECT record_id, event_date, sealed FROM login_record WHERE event_date = ANY(CAST(:days AS date[])) LIMIT 1"
)
_OTHER_DAYS = text("""
SELECT EXISTS (SELECT 1 FROM login_record
               WHERE event_date >= :first AND event_date < :next AND event_date <> ALL(CAST(:days AS date[])))
""")
_DROP = text("SELECT drop_login_record_partition(:month)")
_DELETE = text("DELETE FROM login_record WHERE event_date = ANY(CAST(:days AS date[]))")


class EndedLogins:
    """The category's part in chassis.purge."""

    async def collect(self, connection: AsyncConnection, through: date, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return the days up to ``through`` that still have a salt."""
        return list(await connection.scalars(_DUE, {"last": keys.login_unit(through.isoformat())}))

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the rows of these days."""
        return {"login_record": await connection.scalar(_COUNT, {"days": _days(units)}) or 0}

    async def destroy(self, connection: AsyncConnection, through: date, units: Sequence[str]) -> Destroyed:
        """Destroy the days' salts, then their rows: by partition where the month is wholly due, else by row."""
        due = [unit for unit in units if _day(unit) <= through]
        # Writers of these days hold the same rows FOR SHARE; whoever comes later finds the salt gone.
        await connection.execute(_LOCK, {"units": due})
        days = _days(due)
        sample = (await connection.execute(_SAMPLE, {"days": days})).one_or_none()
        rows = {"erasure_key": await store.destroy_salts(connection, due), "login_record": 0}
        for month, in_month in groupby(sorted(days), key=lambda day: day.replace(day=1)):
            rows["login_record"] += await _empty(connection, month, list(in_month), through)
        kept = None
        if sample is not None:
            place = keys.login_place(str(sample.record_id))
            kept = Sample(keys.PII_KEY, keys.login_unit(sample.event_date.isoformat()), place, sample.sealed)
        return Destroyed(rows, skipped=sorted(set(units) - set(due)), sample=kept)

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return nothing: a day is not a data subject, and whose records it holds is of no concern to a purge."""
        return []


async def _empty(connection: AsyncConnection, month: date, days: Sequence[date], through: date) -> int:
    following = (month + timedelta(days=32)).replace(day=1)
    if following <= through + timedelta(days=1):
        others = await connection.scalar(_OTHER_DAYS, {"first": month, "next": following, "days": list(days)})
        if not others:
            number: int = await connection.scalar(_COUNT, {"days": list(days)}) or 0
            await connection.execute(_DROP, {"month": month})
            return number
    return (await connection.execute(_DELETE, {"days": list(days)})).rowcount


def _day(unit: str) -> date:
    return date.fromisoformat(unit.removeprefix(_PREFIX))


def _days(units: Sequence[str]) -> list[date]:
    return [_day(unit) for unit in units]
