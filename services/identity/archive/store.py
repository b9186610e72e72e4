"""Tables of the archive as its process reads them. Which bases stand is looked at first; values come with the log row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.call import Call
from chassis.database import Hot
from chassis.holds import held
from chassis.ledger import INSERT_ROWS, PLAIN_INSERT
from services.identity.record_bases import RecordBasis

BASES = """
(SELECT jsonb_agg(jsonb_build_array(b.category, b.event_date, b.ended_on) ORDER BY b.category)
 FROM record_basis AS b WHERE b.record_id = r.record_id) AS bases
"""
_IS_HELD = held("r.member_id", "r.record_id")
_COLUMNS = f"r.record_id, r.member_id, r.kind, r.occurred_on, r.policy_version, {BASES}, {_IS_HELD} AS held"
_ONE = f"SELECT {_COLUMNS} FROM record AS r WHERE r.record_id = $1::uuid"
_BEFORE = f"""
SELECT {_COLUMNS} FROM record AS r
WHERE r.member_id = $1::uuid AND (r.occurred_on, r.record_id) < ($2::date, $3::uuid)
"""
_PAGE = f"""
{_BEFORE}
AND EXISTS (SELECT FROM record_basis AS b WHERE b.record_id = r.record_id AND b.category = ANY($5::text[]))
ORDER BY r.occurred_on DESC, r.record_id DESC LIMIT $4
"""
_PAGE_HELD = f"{_BEFORE} AND {_IS_HELD} ORDER BY r.occurred_on DESC, r.record_id DESC LIMIT $4"
_VALUES = """
data AS MATERIALIZED (
    SELECT f.record_id, f.field, f.sealed, k.wrapped_salt
    FROM unnest($2::uuid[], $3::text[]) AS shown(record_id, field) JOIN record_field AS f USING (record_id, field)
    JOIN erasure_key AS k ON k.unit = 'record:' || f.record_id || ':' || f.field)
"""
_VALUES_OF_ONE = f"""
WITH {_VALUES},
found AS (SELECT record_id::text AS lookup, ARRAY[member_id] AS subjects FROM record WHERE record_id = $4::uuid),
log AS ({INSERT_ROWS})
SELECT data.*, found.lookup FROM found LEFT JOIN data ON true
"""
_VALUES_OF_MANY = f"WITH {_VALUES}, log AS ({PLAIN_INSERT}) SELECT * FROM data"


@dataclass(frozen=True, slots=True)
class Archived:
    """A record without its values."""

    record_id: str
    member_id: str
    kind: str
    occurred_on: date
    policy_version: str
    bases: tuple[RecordBasis, ...]
    held: bool


@dataclass(frozen=True, slots=True)
class StoredField:
    """A value as it is stored."""

    record_id: str
    field: str
    sealed: str
    wrapped_salt: str


Shown = Mapping[str, frozenset[str]]
"""Record id -> the fields of it that are shown."""


class ArchiveStore:
    """Single reads."""

    def __init__(self, hot: Hot) -> None:
        self._hot = hot

    async def find(self, record_id: str) -> Archived | None:
        """Return a record. Raises DatabaseUnavailable."""
        found = await self._hot.fetch(_ONE, record_id)
        return _archived(found[0]) if found else None

    async def page(
        self, member_id: str, before: tuple[date, str], categories: Sequence[str], size: int
    ) -> Sequence[Archived]:  # fmt: skip
        """Return a former member's records that have a basis of these categories, newest first, before that key."""
        found = await self._hot.fetch(_PAGE, member_id, *before, size, list(categories))
        return [_archived(row) for row in found]

    async def page_held(self, member_id: str, before: tuple[date, str], size: int) -> Sequence[Archived]:
        """Return the same of those that a legal hold keeps."""
        return [_archived(row) for row in await self._hot.fetch(_PAGE_HELD, member_id, *before, size)]

    async def values_of_one(self, call: Call, record_id: str, shown: Shown) -> Sequence[StoredField] | None:
        """Return values with the call's log row durable, or None where the record has gone meanwhile; the row says which."""
        found = await self._hot.record(_VALUES_OF_ONE, [call.entry], *_columns(shown), record_id)
        return [_stored(row) for row in found if row["record_id"] is not None] if found else None

    async def values_of_many(self, call: Call, shown: Shown) -> Sequence[StoredField]:
        """Return values with the call's log row durable."""
        return [_stored(row) for row in await self._hot.record(_VALUES_OF_MANY, [call.entry], *_columns(shown))]


def _columns(shown: Shown) -> tuple[list[str], list[str]]:
    pairs = [(record_id, field) for record_id, fields in shown.items() for field in sorted(fields)]
    return [record_id for record_id, _ in pairs], [field for _, field in pairs]


def _archived(row: Any) -> Archived:
    return Archived(
        str(row["record_id"]), str(row["member_id"]), row["kind"], row["occurred_on"], row["policy_version"],
        bases(row["bases"]), row["held"],
    )  # fmt: skip


def _stored(row: Any) -> StoredField:
    return StoredField(str(row["record_id"]), row["field"], row["sealed"], row["wrapped_salt"])


def bases(rows: Any) -> tuple[RecordBasis, ...]:
    """Read the bases that a statement with ``BASES`` tells of a record, as SQLAlchemy's codec for jsonb gives them."""
    return tuple(RecordBasis(category, _day(event), _day(ended)) for category, event, ended in rows or ())


def _day(iso: str | None) -> date | None:
    return date.fromisoformat(iso) if iso else None
