"""R-01: what is destroyed when a member has left: the member, its contacts, their salts, its idempotency rows.

With them goes what of its records only the membership kept, such as the telephone number of a payment.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.cutoffs import Cutoffs
from chassis.policy.retention import Retention
from chassis.purge_category import Category, Destroyed, Sample
from services.identity import keys, record_store, store
from services.identity.kept_fields import KeptFields
from services.identity.purge_records import EndedBases

CATEGORY = "R-01"
_PREFIX = "member:"
_SLICE = 1000

_DUE = text("SELECT 'member:' || member_id FROM member WHERE state = 'WITHDRAWN' AND withdrawn_on <= :through")
_COUNT = text("""
SELECT (SELECT count(*) FROM member WHERE member_id = ANY(CAST(:ids AS uuid[]))) AS member,
       (SELECT count(*) FROM contact WHERE member_id = ANY(CAST(:ids AS uuid[]))) AS contact,
       (SELECT count(*) FROM record AS r JOIN record_basis AS b ON b.record_id = r.record_id
        WHERE r.member_id = ANY(CAST(:ids AS uuid[])) AND b.category = 'R-01') AS record_basis
""")
_LOCK = text("""
SELECT member_id, sealed FROM member
WHERE member_id = ANY(CAST(:ids AS uuid[])) AND state = 'WITHDRAWN' AND withdrawn_on <= :through FOR UPDATE
""")
_CONTACTS = text("SELECT contact_id FROM contact WHERE member_id = ANY(CAST(:ids AS uuid[])) FOR UPDATE")
_RECORDS = text("""
SELECT r.record_id FROM record AS r JOIN record_basis AS b ON b.record_id = r.record_id AND b.category = 'R-01'
WHERE r.member_id = ANY(CAST(:ids AS uuid[])) ORDER BY r.record_id FOR UPDATE OF r
""")
# A contact hangs on its member. A held payment has what only the membership kept, until it is in the archive: for a moment.
_HELD = text("""
SELECT 'member:' || m.member_id FROM unnest(CAST(:ids AS uuid[])) AS m(member_id)
WHERE EXISTS (SELECT FROM legal_hold AS h WHERE h.member_id = m.member_id AND NOT h.released)
OR EXISTS (SELECT FROM contact AS c JOIN legal_hold AS h ON h.record_id = c.contact_id AND NOT h.released
           WHERE c.member_id = m.member_id)
OR EXISTS (SELECT FROM legal_hold AS h JOIN record AS r ON r.record_id = h.record_id
           JOIN record_basis AS b ON b.record_id = r.record_id AND b.category = 'R-01'
           WHERE NOT h.released AND r.member_id = m.member_id)
""")
_FORGET_REQUESTS = text("DELETE FROM idempotency WHERE subject_id = ANY(CAST(:ids AS uuid[]))")
_DELETE_CONTACTS = text("DELETE FROM contact WHERE contact_id = ANY(CAST(:ids AS uuid[]))")
_DELETE_MEMBERS = text("DELETE FROM member WHERE member_id = ANY(CAST(:ids AS uuid[]))")


class WithdrawnMembers(Category):
    """The category's part in chassis.purge."""

    def __init__(self, retention: Retention) -> None:
        self._keeps = KeptFields(retention).keeps()
        self._bases = EndedBases(CATEGORY, retention)

    async def collect(self, connection: AsyncConnection, cutoffs: Cutoffs, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return the members that left on ``through`` or earlier; this holder knows the event itself."""
        return list(await connection.scalars(_DUE, {"through": cutoffs.through}))

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the rows of these members, by table."""
        row = (await connection.execute(_COUNT, {"ids": self.subjects(units)})).one()
        return {"member": row.member, "contact": row.contact, "record_basis": row.record_basis}

    async def destroy(self, connection: AsyncConnection, cutoffs: Cutoffs, units: Sequence[str]) -> Destroyed:
        """Destroy salts first, then rows, of the members that are still due."""
        locked = (await connection.execute(_LOCK, {"ids": self.subjects(units), "through": cutoffs.through})).all()
        members = [str(row.member_id) for row in locked]
        contacts = [str(contact) for contact in await connection.scalars(_CONTACTS, {"ids": members})]
        salts = await store.destroy_salts(
            connection, [keys.member_unit(item) for item in members] + [keys.contact_unit(item) for item in contacts]
        )
        records = [str(record_id) for record_id in await connection.scalars(_RECORDS, {"ids": members})]
        ended = await self._end(connection, records)
        requests = (await connection.execute(_FORGET_REQUESTS, {"ids": [*members, *contacts]})).rowcount
        deleted_contacts = (await connection.execute(_DELETE_CONTACTS, {"ids": contacts})).rowcount
        deleted_members = (await connection.execute(_DELETE_MEMBERS, {"ids": members})).rowcount
        sample = None
        if locked:
            unit, place = keys.member_unit(members[0]), keys.member_place(members[0])
            sample = Sample(keys.PII_KEY, unit, place, locked[0].sealed)
        return Destroyed(
            {
                **ended, "erasure_key": salts + ended["erasure_key"], "idempotency": requests,
                "contact": deleted_contacts, "member": deleted_members,
            },
            skipped=sorted(set(units) - {keys.member_unit(item) for item in members}),
            sample=sample,
        )  # fmt: skip

    async def held(self, connection: AsyncConnection, units: Sequence[str]) -> Collection[str]:
        """Return the members that a hold keeps, be it for a contact or a record of theirs."""
        return list(await connection.scalars(_HELD, {"ids": self.subjects(units)}))

    async def _end(self, connection: AsyncConnection, records: Sequence[str]) -> Mapping[str, int]:
        """End the bases, some records at a time: members can have any number, and no statement may take its time from it."""
        ended = Counter({"record_basis": 0, "erasure_key": 0, "record_field": 0, "record": 0})
        for start in range(0, len(records), _SLICE):
            ended.update((await self._bases.end(connection, records[start : start + _SLICE])).rows)
        return ended

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return the members' ids."""
        return [unit.removeprefix(_PREFIX) for unit in units]

    async def left(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return what is left of the members, and what of their records is there without any basis."""
        homeless = await record_store.count_homeless(connection, self.subjects(units), self._keeps, of_members=True)
        return {**await super().left(connection, units), "fields left that no basis keeps": homeless}
