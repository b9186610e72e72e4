"""Log-like records (log-ins, usage): one sealed body each, under the salt of its day, in the partition of its month.

In SQL stand the member's random id and the day, which the period needs; the records of a day end together.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from onggi.identity.v1 import record_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors, page
from chassis.call import Call
from chassis.database import DATABASE_ERRORS, Hot
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError
from chassis.ledger import INSERT_ROWS
from chassis.sealing import Closed, Open, seal, unseal
from chassis.transit import Transit
from services.identity import keys
from services.identity.failures import MemberNotFound
from services.identity.record_intake import Fresh

NO_PARTITION = "23514"

_ENSURE_MONTH = text("SELECT ensure_month(:kind, :month)")
_LOCK_OPEN_DAYS = text("""
SELECT unit FROM erasure_key WHERE unit = ANY(CAST(:units AS text[])) AND wrapped_salt IS NOT NULL
ORDER BY unit FOR SHARE
""")
# A day that a purge plan has counted takes nothing more. A statement of its own, after the lock: what it waited for is seen.
_ADD = """
INSERT INTO {kind}_record (record_id, member_id, event_date, sealed)
SELECT n.record_id, n.member_id, n.event_date, n.sealed
FROM unnest(CAST(:ids AS uuid[]), CAST(:members AS uuid[]), CAST(:days AS date[]), CAST(:sealed AS text[]))
    AS n(record_id, member_id, event_date, sealed)
WHERE NOT EXISTS (SELECT 1 FROM closed_day AS c WHERE c.unit = '{kind}:' || n.event_date)
RETURNING record_id
"""
_LIST = """
WITH data AS MATERIALIZED (
    SELECT r.record_id, r.member_id, r.event_date, r.sealed, k.wrapped_salt FROM {kind}_record AS r
    JOIN erasure_key AS k ON k.unit = '{kind}:' || r.event_date
    WHERE r.member_id = $2::uuid AND (r.event_date, r.record_id) < ($3::date, $4::uuid)
    ORDER BY r.event_date DESC, r.record_id DESC LIMIT $5),
found AS (
    SELECT member_id::text AS lookup, ARRAY[member_id] AS subjects FROM member
    WHERE member_id = $2::uuid AND state = 'ACTIVE'),
log AS ({log})
SELECT data.*, found.lookup FROM found LEFT JOIN data ON true ORDER BY event_date DESC, record_id DESC
"""


class LogRecords:
    """Seals, adds and lists records of one kind; ``category``: the one that they stand under."""

    def __init__(
        self, kind: str, engine: AsyncEngine, hot: Hot, transit: Transit, erasure_keys: ErasureKeys, *, category: str
    ) -> None:
        self._kind = kind
        self._category = category
        self._engine = engine
        self._hot = hot
        self._transit = transit
        self._keys = erasure_keys
        self._months: set[date] = set()
        self._add = text(_ADD.format(kind=kind))
        self._list = _LIST.format(kind=kind, log=INSERT_ROWS)

    async def seal(self, fresh: Sequence[Fresh], policy_version: str) -> Mapping[str, str]:
        """Return the sealed bodies, by record id, without those whose day is destroyed; make the months' partitions.

        Raises KeyServiceUnavailable, DatabaseUnavailable; SealBroken where a day's salt does not open: it is not destroyed.
        """
        if not fresh:
            return {}
        salts = await self._keys.ensure(sorted({self._unit(item) for item in fresh}))
        for salt in salts.values():
            if isinstance(salt, errors.SealBroken):
                raise salt
        ready = [(item, salt) for item in fresh if isinstance(salt := salts[self._unit(item)], bytes)]
        sealed = await seal(self._transit, keys.PII_KEY, [
            Open(salt, keys.log_place(self._kind, item.record_id), _body(item, policy_version)) for item, salt in ready
        ])  # fmt: skip
        await self._make_partitions({item.day.replace(day=1) for item, _ in ready})
        return {item.record_id: ciphertext for (item, _), ciphertext in zip(ready, sealed, strict=True)}

    async def add(
        self, connection: AsyncConnection, fresh: Sequence[Fresh], sealed: Mapping[str, str]
    ) -> Collection[str]:
        """Add records; return the ids of those that were. The others' days have ended: they would outlive their period."""
        if not fresh:
            return ()
        days = sorted({self._unit(item) for item in fresh})
        open_days = set(await connection.scalars(_LOCK_OPEN_DAYS, {"units": days}))
        added = [item for item in fresh if item.record_id in sealed and self._unit(item) in open_days]
        found = await connection.scalars(self._add, {
            "ids": [item.record_id for item in added], "members": [item.record.member_id for item in added],
            "days": [item.day for item in added], "sealed": [sealed[item.record_id] for item in added],
        })  # fmt: skip
        return {str(record_id) for record_id in found}

    async def list(
        self, call: Call, member_id: str, before: tuple[date, str], size: int
    ) -> tuple[Sequence[api.Record], str]:
        """Return a page of a member's records, newest day first, and the next page's token. Raises MemberNotFound."""
        call.entry.seek(member_id, MemberNotFound)
        found = await self._hot.record(self._list, [call.entry], member_id, *before, size + 1)
        if not found:
            raise MemberNotFound
        shown = [row for row in found if row["record_id"] is not None]
        last = shown[size - 1] if len(shown) > size else None
        token = page.token(last["event_date"].isoformat(), str(last["record_id"])) if last else ""
        opened = await self._open(shown[:size])
        return sorted(opened, key=lambda record: record.occurred_at.ToNanoseconds(), reverse=True), token

    def forget_partitions(self) -> None:
        """Make the partitions again: one was dropped meanwhile by another process."""
        self._months.clear()

    def _unit(self, item: Fresh) -> str:
        return keys.day_unit(self._kind, item.day.isoformat())

    async def _open(self, rows: Sequence[Any]) -> Sequence[api.Record]:
        salts = await self._keys.unwrap([row["wrapped_salt"] for row in rows])
        closed = [
            Closed(salt, keys.log_place(self._kind, str(row["record_id"])), row["sealed"])
            for salt, row in zip(salts, rows, strict=True)
        ]
        opened = await unseal(self._transit, keys.PII_KEY, closed)
        return [self._record(row, item) for row, item in zip(rows, opened, strict=True)]

    def _record(self, row: Any, body: bytes | DomainError) -> api.Record:
        if isinstance(body, DomainError):
            raise body
        record = api.Record.FromString(body)
        record.record_id, record.member_id = str(row["record_id"]), str(row["member_id"])
        record.standings.add(category=self._category, event_date=row["event_date"].isoformat())
        return record

    async def _make_partitions(self, months: set[date]) -> None:
        """Make the months' partitions, outside of the transaction that fills them: it must not hold their lock."""
        for month in sorted(months - self._months):
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(_ENSURE_MONTH, {"kind": self._kind, "month": month})
            except DATABASE_ERRORS:
                raise errors.DatabaseUnavailable from None
            self._months.add(month)


def _body(item: Fresh, policy_version: str) -> bytes:
    bare = api.Record(occurred_at=item.record.occurred_at, policy_version=policy_version)
    getattr(bare, item.kind).CopyFrom(getattr(item.record, item.kind))
    return bare.SerializeToString()
