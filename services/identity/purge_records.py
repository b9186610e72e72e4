"""Records whose basis under one category has ended: the basis goes, and with it the fields that no other basis keeps.

A unit is a record's id. When its last basis goes, the record goes. The archive keeps the same tables, and so this.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import holds
from chassis.cutoffs import Cutoffs, is_due, parameters
from chassis.policy.retention import BY_WILL, Basis, Retention
from chassis.purge_category import Category, Destroyed, Sample
from services.identity import keys, maxima, record_store, store
from services.identity.kept_fields import KeptFields

_BY_ITS_PERIOD = is_due("b.event_date", "r.policy_version")
_OR_BEFORE_IT = f"({_BY_ITS_PERIOD} OR b.ended_on IS NOT NULL)"
_DUE = """
SELECT b.record_id FROM record_basis AS b JOIN record AS r ON r.record_id = b.record_id
WHERE b.category = :category AND {ended} ORDER BY b.record_id
"""
_LOCK_DUE = """
SELECT b.record_id FROM record_basis AS b JOIN record AS r ON r.record_id = b.record_id
WHERE b.record_id = ANY(CAST(:ids AS uuid[])) AND b.category = :category AND {ended} FOR UPDATE OF b
"""
_COUNT = text("""
SELECT count(*) FROM record_basis
WHERE record_id = ANY(CAST(:ids AS uuid[])) AND category = ANY(CAST(:ending AS text[]))
""")
_HELD = text(f"""
SELECT r.record_id FROM record AS r
WHERE r.record_id = ANY(CAST(:ids AS uuid[])) AND {holds.held("r.member_id", "r.record_id")}
""")
_STRAY_SALTS = text("""
SELECT count(*) FROM unnest(CAST(:ids AS uuid[])) AS i(record_id) CROSS JOIN unnest(CAST(:names AS text[])) AS n(field)
JOIN erasure_key AS k ON k.unit = 'record:' || i.record_id || ':' || n.field
WHERE k.wrapped_salt IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM record_field AS f WHERE f.record_id = i.record_id AND f.field = n.field)
""")


class EndedBases(Category):
    """A category's part in chassis.purge.

    ``service`` and ``key``: whose tables they are, and the key that its fields are sealed under.
    """

    def __init__(
        self, category: str, retention: Retention, *, service: str = keys.SERVICE, key: str = keys.PII_KEY
    ) -> None:
        self._category = category
        self._ending = [category]
        self._maxima = maxima.of_schedule(retention)
        self._kept = KeptFields(retention)
        self._service = service
        self._key = key
        ended = self.ended(retention.categories[category].basis)
        self._due = text(_DUE.format(ended=ended))
        self._lock_due = text(_LOCK_DUE.format(ended=ended))

    def ended(self, basis: Basis) -> str:
        """Return the condition under which a basis has ended; what a law wants kept nobody's withdrawal ends."""
        return _OR_BEFORE_IT if basis in BY_WILL else _BY_ITS_PERIOD

    async def collect(self, connection: AsyncConnection, cutoffs: Cutoffs, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return the records whose basis ended with its period, or before it."""
        due = await connection.scalars(self._due, self._values(cutoffs))
        return [str(record_id) for record_id in due]

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the bases of these records: how many fields go with them, the others' lives decide at the time."""
        values = {"ids": list(units), "ending": self._ending}
        return {"record_basis": await connection.scalar(_COUNT, values) or 0}

    async def destroy(self, connection: AsyncConnection, cutoffs: Cutoffs, units: Sequence[str]) -> Destroyed:
        """End the bases that are still due; destroy the salts, then the rows of what nothing keeps any more."""
        await record_store.lock_records(connection, units)
        values = {"ids": list(units), **self._values(cutoffs)}
        due = [str(record_id) for record_id in await connection.scalars(self._lock_due, values)]
        destroyed = await self.end(connection, due)
        destroyed.skipped = sorted(set(units) - set(due))
        return destroyed

    async def held(self, connection: AsyncConnection, units: Sequence[str]) -> Collection[str]:
        """Return the records that a hold keeps: whole, with the bases that are over."""
        return [str(record_id) for record_id in await connection.scalars(_HELD, {"ids": list(units)})]

    def _values(self, cutoffs: Cutoffs) -> dict[str, object]:
        return {"category": self._category, **parameters(cutoffs)}

    async def end(self, connection: AsyncConnection, records: Sequence[str]) -> Destroyed:
        """End the category's bases of records that the caller has locked, whatever their dates."""
        bases = await record_store.delete_bases(connection, records, self._ending)
        bases += await record_store.delete_lone(connection, records, self._maxima)
        fields = await record_store.homeless(connection, records, self._kept.keeps())
        sample = await self._sample(connection, fields)
        units = [keys.field_unit(record_id, field) for record_id, field in fields]
        salts = await store.destroy_salts(connection, units)
        rows = await record_store.delete_fields(connection, fields)
        gone = await record_store.delete_unbased(connection, records)
        return Destroyed(
            {"record_basis": bases, "erasure_key": salts, "record_field": rows, "record": gone}, sample=sample
        )

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return nothing: a record is not a data subject."""
        return []

    async def left(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the bases that are still there, and what of these records is there without any basis."""
        names = sorted({field for category in self._ending for field in self._kept.by(category)})
        return {
            "rows left in record_basis": (await self.count(connection, units))["record_basis"],
            "fields left that no basis keeps": await record_store.count_homeless(connection, units, self._kept.keeps()),
            "salts left of fields that are gone": await connection.scalar(
                _STRAY_SALTS, {"ids": list(units), "names": names}
            ) or 0,
        }  # fmt: skip

    async def _sample(self, connection: AsyncConnection, fields: Sequence[tuple[str, str]]) -> Sample | None:
        if not fields:
            return None
        record_id, field = fields[0]
        row = await record_store.one_field(connection, record_id, field)
        place = keys.field_place(record_id, field, self._service)
        return Sample(self._key, keys.field_unit(record_id, field), place, row.sealed)
