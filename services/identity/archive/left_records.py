"""Identity's records of members that have left: looked through, read whole, locked, and destroyed once they have moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.holds import held
from services.identity import keys, store
from services.identity.archive.store import BASES, bases
from services.identity.record_bases import RecordBasis

_FIRST = "00000000-0000-0000-0000-000000000000"
_HELD = f"{held('r.member_id', 'r.record_id')} AS held"
_LEFT = text(f"""
SELECT r.record_id, r.kind, r.policy_version, {BASES}, {_HELD} FROM record AS r
WHERE r.state = 'LEFT' AND r.record_id > CAST(:after AS uuid) ORDER BY r.record_id LIMIT :size
""")
_WHOLE = text(f"""
SELECT r.record_id, r.member_id, r.kind, r.occurred_on, r.policy_version, {BASES}, {_HELD},
    (SELECT jsonb_agg(jsonb_build_array(f.field, f.sealed, coalesce(k.wrapped_salt, '')) ORDER BY f.field)
     FROM record_field AS f LEFT JOIN erasure_key AS k ON k.unit = 'record:' || f.record_id || ':' || f.field
     WHERE f.record_id = r.record_id) AS fields
FROM record AS r WHERE r.record_id = ANY(CAST(:ids AS uuid[])) AND r.state = 'LEFT' ORDER BY r.record_id
""")
# What somebody else has locked is left for the next look: whoever waits for nobody is in nobody's way.
_LOCK = text("""
SELECT record_id FROM record WHERE record_id = ANY(CAST(:ids AS uuid[])) AND state = 'LEFT'
ORDER BY record_id FOR UPDATE SKIP LOCKED
""")
_LOCK_BASES = text("""
SELECT record_id FROM record_basis WHERE record_id = ANY(CAST(:ids AS uuid[])) FOR UPDATE SKIP LOCKED
""")
_DELETE = text("DELETE FROM record WHERE record_id = ANY(CAST(:ids AS uuid[]))")


@dataclass(frozen=True, slots=True)
class Looked:
    """A record as a look over many sees it.

    ``policy_version``: the version of the policy that it was collected under. ``held``: whether a legal hold keeps it.
    """

    record_id: str
    kind: str
    bases: tuple[RecordBasis, ...]
    policy_version: str
    held: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Left(Looked):
    """A whole record. ``fields``: name -> (ciphertext, wrapped salt; "" where it is lost). What equals has not changed."""

    member_id: str
    occurred_on: date
    fields: Mapping[str, tuple[str, str]]


async def look(connection: AsyncConnection, after: str, size: int) -> Sequence[Looked]:
    """Return a page of the records whose members have left, in the order of their ids; ``after`` "" is the first page."""
    found = await connection.execute(_LEFT, {"after": after or _FIRST, "size": size})
    return [Looked(str(row.record_id), row.kind, bases(row.bases), row.policy_version, held=row.held) for row in found]


async def read(connection: AsyncConnection, record_ids: Sequence[str]) -> Mapping[str, Left]:
    """Return those of the records that are there, by id."""
    found = await connection.execute(_WHOLE, {"ids": list(record_ids)})
    return {str(row.record_id): _left(row) for row in found}


async def read_locked(connection: AsyncConnection, record_ids: Sequence[str]) -> Mapping[str, Left]:
    """Return those that are there and that nobody else has locked; they do not change until the transaction ends."""
    mine = [str(found) for found in await connection.scalars(_LOCK, {"ids": list(record_ids)})]
    locked = [str(found) for found in await connection.scalars(_LOCK_BASES, {"ids": mine})]
    found = await read(connection, mine)
    return {name: record for name, record in found.items() if locked.count(name) == len(record.bases)}


async def destroy(connection: AsyncConnection, records: Sequence[Left]) -> None:
    """Destroy the salts of all fields, then the rows. The transaction has its log row already."""
    units = [keys.field_unit(record.record_id, field) for record in records for field in record.fields]
    await store.destroy_salts(connection, units)
    await connection.execute(_DELETE, {"ids": [record.record_id for record in records]})


def _left(row: Any) -> Left:
    fields = {field: (sealed, wrapped) for field, sealed, wrapped in row.fields or ()}
    return Left(
        str(row.record_id), row.kind, bases(row.bases), row.policy_version, str(row.member_id), row.occurred_on,
        fields, held=row.held,
    )  # fmt: skip
