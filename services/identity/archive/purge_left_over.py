"""What is left over of a record that a legal hold has brought into the archive, once the hold is released.

A held record comes in with everything, also with bases that the archive is no holder of, such as that of the membership.
All of those were over when it came, since they end with the membership or before it. No plan asks the archive for them, so
one of its own categories carries them along. A minimum that a law sets is never among them: it ends with its own period.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.cutoffs import Cutoffs
from chassis.policy.retention import BY_WILL, Retention
from chassis.purge_category import Destroyed, summed
from services.identity.archive import keys
from services.identity.purge_records import EndedBases

_OVER = "SELECT {what} FROM record_basis WHERE category = ANY(CAST(:categories AS text[]))"
_DUE = text(_OVER.format(what="DISTINCT record_id") + " ORDER BY record_id")
_LOCK_DUE = text(_OVER.format(what="record_id") + " AND record_id = ANY(CAST(:ids AS uuid[])) FOR UPDATE")


def left_over(retention: Retention) -> Collection[str]:
    """Return the categories that stand in the archive by a legal hold alone."""
    rows = retention.categories.items()
    return {name for name, row in rows if keys.SERVICE not in row.holders and row.basis in BY_WILL}


class _Others(EndedBases):
    """The bases by somebody's will that the archive is no holder of, all at once."""

    def __init__(self, category: str, retention: Retention) -> None:
        super().__init__(category, retention, service=keys.SERVICE, key=keys.RECORD_KEY)
        self._ending = sorted(left_over(retention))
        self.categories = {"categories": self._ending}


class WithLeftOver(EndedBases):
    """The part in chassis.purge of the category that carries the others."""

    def __init__(self, category: str, retention: Retention) -> None:
        super().__init__(category, retention, service=keys.SERVICE, key=keys.RECORD_KEY)
        self._others = _Others(category, retention)

    async def collect(self, connection: AsyncConnection, cutoffs: Cutoffs, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return the records whose basis ended, and those with others' bases, whatever their dates."""
        own = await super().collect(connection, cutoffs, subject_ids)
        over = await connection.scalars(_DUE, self._others.categories)
        return sorted({*own, *(str(record_id) for record_id in over)})

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the bases of these records, of the category and of the others."""
        own = await super().count(connection, units)
        return summed(own, await self._others.count(connection, units))

    async def destroy(self, connection: AsyncConnection, cutoffs: Cutoffs, units: Sequence[str]) -> Destroyed:
        """End both, and destroy what nothing keeps any more."""
        done = await super().destroy(connection, cutoffs, units)
        values = {"ids": list(units), **self._others.categories}
        over = {str(record_id) for record_id in await connection.scalars(_LOCK_DUE, values)}
        others = await self._others.end(connection, sorted(over))
        done.rows, done.sample = summed(done.rows, others.rows), done.sample or others.sample
        done.skipped = sorted(set(done.skipped) - over)
        return done

    async def left(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return what is left of either."""
        own, others = await super().left(connection, units), await self._others.left(connection, units)
        return {name: max(number, others[name]) for name, number in own.items()}
