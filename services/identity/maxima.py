"""Which statutory maxima (LAW_MAX) limit which records: a law's word, so that nobody who adds a record chooses.

A maximum starts with the end of the membership (상거래관계 종료일), so it is noted then, also for records that were added
while the owner's setting for it was off. It is no ground to keep: what stands under nothing else goes.
"""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.policy.calendars import Calendars
from chassis.policy.retention import Basis, Retention

_ADD = text("""
INSERT INTO record_basis (record_id, category, event_date)
SELECT r.record_id, m.category, :on
FROM record AS r JOIN unnest(CAST(:kinds AS text[]), CAST(:categories AS text[])) AS m(kind, category) ON m.kind = r.kind
WHERE r.member_id = CAST(:member_id AS uuid) ON CONFLICT DO NOTHING
""")


def of_schedule(retention: Retention) -> frozenset[str]:
    """Return the categories that are maxima, whether the owner's settings turn them on or not."""
    return frozenset(name for name, category in retention.categories.items() if category.basis is Basis.LAW_MAX)


def in_force(retention: Retention, calendars: Calendars, kind: str) -> list[str]:
    """Return the maxima that a kind of record stands under by the owner's settings. Raises KeyError."""
    maxima = of_schedule(retention)
    return [name for name in retention.records[kind].stands_under if name in maxima and calendars.binds(name)]


class Leaving:
    """Notes the maxima of the records of a member that leaves."""

    def __init__(self, retention: Retention, calendars: Calendars) -> None:
        self._limits = list(_pairs(retention, calendars))

    async def note(self, connection: AsyncConnection, member_id: str, on: date) -> None:
        """Add those that are not there. The records are locked, and the transaction has its log row already."""
        if self._limits:
            kinds, categories = zip(*self._limits, strict=True)
            values = {"member_id": member_id, "on": on, "kinds": list(kinds), "categories": list(categories)}
            await connection.execute(_ADD, values)


def _pairs(retention: Retention, calendars: Calendars) -> Iterator[tuple[str, str]]:
    for name, kind in retention.records.items():
        if kind.kept == "by field":
            yield from ((name, category) for category in in_force(retention, calendars, name))
