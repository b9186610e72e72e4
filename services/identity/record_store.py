"""Tables of the records that are kept by field, and single queries on them; the archive has the same tables."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.identity.kept_fields import Keeps
from services.identity.record_bases import RecordBasis

_LOCK_LIVING = text("""
SELECT member_id FROM member WHERE member_id = ANY(CAST(:ids AS uuid[])) AND state = 'ACTIVE'
ORDER BY member_id FOR SHARE
""")
_LOCK_CONSENTS = text("""
SELECT c.member_id, c.name FROM consent AS c
JOIN unnest(CAST(:members AS uuid[]), CAST(:names AS text[])) AS w(member_id, name)
    ON w.member_id = c.member_id AND w.name = c.name
WHERE c.withdrawn_at IS NULL ORDER BY c.consent_id FOR SHARE OF c
""")
_ADD_RECORDS = text("""
INSERT INTO record (record_id, member_id, kind, occurred_on, policy_version)
SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:members AS uuid[]), CAST(:kinds AS text[]), CAST(:days AS date[]),
                     CAST(:versions AS text[]))
""")
_ADD_BASES = text("""
INSERT INTO record_basis (record_id, category, event_date)
SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:categories AS text[]), CAST(:dates AS date[]))
""")
_ADD_SALTS = text("""
INSERT INTO erasure_key (unit, wrapped_salt) SELECT * FROM unnest(CAST(:units AS text[]), CAST(:salts AS text[]))
""")
_ADD_FIELDS = text("""
INSERT INTO record_field (record_id, field, sealed)
SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:fields AS text[]), CAST(:sealed AS text[]))
""")
_LOCK_RECORD = text("""
SELECT record_id, occurred_on FROM record
WHERE record_id = CAST(:record_id AS uuid) AND member_id = CAST(:member_id AS uuid) AND state = 'LIVE' FOR SHARE
""")
_NOTE = text("""
UPDATE record_basis SET event_date = :day
WHERE record_id = CAST(:record_id AS uuid) AND category = :category RETURNING category
""")
_BASES = text("""
SELECT category, event_date, ended_on FROM record_basis WHERE record_id = CAST(:record_id AS uuid) ORDER BY category
""")
_LOCK_RECORDS = text(
    "SELECT record_id FROM record WHERE record_id = ANY(CAST(:ids AS uuid[])) ORDER BY record_id FOR UPDATE"
)
_DELETE_BASES = text("""
DELETE FROM record_basis WHERE record_id = ANY(CAST(:ids AS uuid[])) AND category = ANY(CAST(:categories AS text[]))
""")
# A maximum limits what other bases keep; where none is left, it is no ground to keep so much as the row of a record.
_DELETE_LONE = text("""
DELETE FROM record_basis AS b WHERE b.record_id = ANY(CAST(:ids AS uuid[])) AND b.category = ANY(CAST(:maxima AS text[]))
AND NOT EXISTS (SELECT 1 FROM record_basis AS o
                WHERE o.record_id = b.record_id AND o.category <> ALL(CAST(:maxima AS text[])))
""")
# What no basis of its record keeps; what the categories keep of which kind is the policy's word, given as columns. Of a basis
# that the policy does not name nobody can say what it keeps, so it keeps everything.
_HOMELESS = """
FROM record_field AS f JOIN record AS r ON r.record_id = f.record_id
WHERE {of} AND NOT EXISTS (
    SELECT 1 FROM record_basis AS b
    JOIN unnest(CAST(:categories AS text[]), CAST(:kinds AS text[]), CAST(:fields AS text[])) AS k(category, kind, field)
        ON k.category = b.category AND k.kind = r.kind AND k.field = f.field
    WHERE b.record_id = r.record_id)
AND NOT EXISTS (
    SELECT 1 FROM record_basis AS b
    WHERE b.record_id = r.record_id AND b.category <> ALL(CAST(:named AS text[])))
"""
_OF_RECORDS = "r.record_id = ANY(CAST(:ids AS uuid[]))"
_FIND_HOMELESS = text("SELECT f.record_id, f.field " + _HOMELESS.format(of=_OF_RECORDS))
_COUNT_HOMELESS = text("SELECT count(*) " + _HOMELESS.format(of=_OF_RECORDS))
_COUNT_HOMELESS_OF = text("SELECT count(*) " + _HOMELESS.format(of="r.member_id = ANY(CAST(:ids AS uuid[]))"))
_PAIRS = "unnest(CAST(:ids AS uuid[]), CAST(:fields AS text[])) AS w(record_id, field)"
_ONE_FIELD = text("""
SELECT record_id, field, sealed FROM record_field WHERE record_id = CAST(:record_id AS uuid) AND field = :field
""")
_DELETE_FIELDS = text(f"""
DELETE FROM record_field AS f USING {_PAIRS} WHERE f.record_id = w.record_id AND f.field = w.field
""")
_DELETE_RECORDS = text("""
DELETE FROM record AS r WHERE r.record_id = ANY(CAST(:ids AS uuid[]))
AND NOT EXISTS (SELECT 1 FROM record_basis AS b WHERE b.record_id = r.record_id)
""")


class SealedField(NamedTuple):
    """A field's ciphertext, with the wrapped salt of its own."""

    record_id: str
    field: str
    unit: str
    wrapped_salt: str
    sealed: str


async def lock_living(connection: AsyncConnection, members: Collection[str]) -> set[str]:
    """Keep living members from being withdrawn until the transaction ends; return those that are living."""
    return {str(found) for found in await connection.scalars(_LOCK_LIVING, {"ids": list(members)})}


async def lock_consents(connection: AsyncConnection, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """The same for living consents, each as the member's id and the consent's name."""
    if not wanted:
        return set()
    members, names = zip(*wanted, strict=True)
    found = await connection.execute(_LOCK_CONSENTS, {"members": list(members), "names": list(names)})
    return {(str(row.member_id), row.name) for row in found}


async def add_records(connection: AsyncConnection, rows: Sequence[tuple[str, str, str, date, str]]) -> None:
    """Add records, each as id, member, kind, day and policy version."""
    ids, members, kinds, days, versions = ([row[column] for row in rows] for column in range(5))
    values = {"ids": ids, "members": members, "kinds": kinds, "days": days, "versions": versions}
    await connection.execute(_ADD_RECORDS, values)


async def add_bases(connection: AsyncConnection, bases: Sequence[tuple[str, RecordBasis]]) -> None:
    """Add bases, each with the id of its record."""
    await connection.execute(_ADD_BASES, {
        "ids": [record_id for record_id, _ in bases], "categories": [basis.category for _, basis in bases],
        "dates": [basis.event_date for _, basis in bases],
    })  # fmt: skip


async def add_fields(connection: AsyncConnection, fields: Sequence[SealedField]) -> None:
    """Add salts and fields."""
    await connection.execute(_ADD_SALTS, {
        "units": [item.unit for item in fields], "salts": [item.wrapped_salt for item in fields],
    })  # fmt: skip
    await connection.execute(_ADD_FIELDS, {
        "ids": [item.record_id for item in fields], "fields": [item.field for item in fields],
        "sealed": [item.sealed for item in fields],
    })  # fmt: skip


async def lock_record(connection: AsyncConnection, member_id: str, record_id: str) -> Row[Any] | None:
    """Keep a living member's record from being destroyed or moved; return it, or None."""
    found = await connection.execute(_LOCK_RECORD, {"member_id": member_id, "record_id": record_id})
    return found.one_or_none()


async def note_event(connection: AsyncConnection, record_id: str, category: str, day: date) -> bool:
    """Note the date of a start event; return whether the record stands under the category."""
    values = {"record_id": record_id, "category": category, "day": day}
    return await connection.scalar(_NOTE, values) is not None


async def bases(connection: AsyncConnection, record_id: str) -> list[RecordBasis]:
    """Return the bases of a record."""
    found = await connection.execute(_BASES, {"record_id": record_id})
    return [RecordBasis(row.category, row.event_date, row.ended_on) for row in found]


async def lock_records(connection: AsyncConnection, ids: Sequence[str]) -> None:
    """Keep records to oneself: nobody notes an event, moves or destroys."""
    await connection.execute(_LOCK_RECORDS, {"ids": list(ids)})


async def delete_bases(connection: AsyncConnection, ids: Sequence[str], categories: Collection[str]) -> int:
    """Delete the bases of records under these categories; return how many there were."""
    return (await connection.execute(_DELETE_BASES, {"ids": list(ids), "categories": list(categories)})).rowcount


async def delete_lone(connection: AsyncConnection, ids: Sequence[str], maxima: Collection[str]) -> int:
    """Delete the maxima of records that stand under nothing else any more; return how many there were."""
    return (await connection.execute(_DELETE_LONE, {"ids": list(ids), "maxima": list(maxima)})).rowcount


async def homeless(connection: AsyncConnection, ids: Sequence[str], keeps: Keeps) -> list[tuple[str, str]]:
    """Return the fields of records that no basis keeps, each as record id and field."""
    found = await connection.execute(_FIND_HOMELESS, {"ids": list(ids), **keeps._asdict()})
    return [(str(row.record_id), row.field) for row in found]


async def count_homeless(
    connection: AsyncConnection, ids: Sequence[str], keeps: Keeps, *, of_members: bool = False
) -> int:
    """Return how many fields of these records, or of all records of these members, no basis keeps."""
    statement = _COUNT_HOMELESS_OF if of_members else _COUNT_HOMELESS
    return await connection.scalar(statement, {"ids": list(ids), **keeps._asdict()}) or 0


async def one_field(connection: AsyncConnection, record_id: str, field: str) -> Row[Any]:
    """Return a field as it is sealed."""
    return (await connection.execute(_ONE_FIELD, {"record_id": record_id, "field": field})).one()


async def delete_fields(connection: AsyncConnection, fields: Sequence[tuple[str, str]]) -> int:
    """Delete fields, each given as record id and name; return how many there were."""
    values: Mapping[str, object] = {"ids": [item[0] for item in fields], "fields": [item[1] for item in fields]}
    return (await connection.execute(_DELETE_FIELDS, values)).rowcount


async def delete_unbased(connection: AsyncConnection, ids: Sequence[str]) -> int:
    """Delete those of the records that stand under no basis any more; return how many there were."""
    return (await connection.execute(_DELETE_RECORDS, {"ids": list(ids)})).rowcount
