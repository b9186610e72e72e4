"""R-03: the means of payment of a member that has left: salt, tokens, fingerprints, idempotency rows.

The start event, the withdrawal, is known to identity alone; the subjects come with the plan. Whom a plan has named stays
due, since nobody leaves twice and identity may have forgotten who it was: what that plan did not destroy, such as what a
hold kept, is in the next one.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import holds
from chassis.cutoffs import Cutoffs
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy_coverage import Stock
from chassis.purge_category import Category, Destroyed, Sample
from services.payment_vault import keys

CATEGORY = "R-03"
_PREFIX = "member:"

# Before the look at who is known: a salt that is just being made is waited for, and known then.
_MARK = text("""
INSERT INTO erasure_key (unit, destroyed_at)
SELECT unit, transaction_timestamp() FROM unnest(CAST(:units AS text[])) AS unit ORDER BY unit
ON CONFLICT (unit) DO NOTHING
""")
_KNOWN = text("""
SELECT unit FROM erasure_key WHERE unit = ANY(CAST(:units AS text[])) AND wrapped_salt IS NOT NULL ORDER BY unit
""")
_NAMED_BEFORE = text("""
SELECT DISTINCT i.unit FROM purge_item AS i JOIN erasure_key AS k ON k.unit = i.unit AND k.wrapped_salt IS NOT NULL
WHERE i.category = :category AND i.state <> 'DESTROYED'
""")
_COUNT = text("""
SELECT (SELECT count(*) FROM token WHERE member_id = ANY(CAST(:ids AS uuid[]))) AS token,
       (SELECT count(*) FROM idempotency WHERE subject_id = ANY(CAST(:ids AS uuid[]))) AS idempotency
""")
# Writers hold the same rows FOR SHARE: either they come first and their rows are deleted, or they find no salt.
_LOCK = text("SELECT unit FROM erasure_key WHERE unit = ANY(CAST(:units AS text[])) ORDER BY unit FOR UPDATE")
_SAMPLE = text("SELECT token, member_id, kind, sealed FROM token WHERE member_id = ANY(CAST(:ids AS uuid[])) LIMIT 1")
_DESTROY_SALTS = text("""
UPDATE erasure_key SET wrapped_salt = NULL, destroyed_at = transaction_timestamp()
WHERE unit = ANY(CAST(:units AS text[])) AND wrapped_salt IS NOT NULL
""")
_DELETE_TOKENS = text("DELETE FROM token WHERE member_id = ANY(CAST(:ids AS uuid[]))")
_FORGET_REQUESTS = text("DELETE FROM idempotency WHERE subject_id = ANY(CAST(:ids AS uuid[]))")
_STOCK = text(f"""
SELECT '{CATEGORY}' AS category, count(*) AS rows FROM token
WHERE '{CATEGORY}' <> ALL(CAST(:held AS text[])) HAVING count(*) > 0
""")


def stock(policy: PrivacyPolicy) -> Stock:
    """Return what this service keeps under the category, for chassis.policy_coverage."""
    return Stock("token", _STOCK, policy.retention.held_by(keys.SERVICE))


class TokensOfWithdrawn(Category):
    """The category's part in chassis.purge."""

    async def collect(self, connection: AsyncConnection, cutoffs: Cutoffs, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return those of the given subjects, and of those named before, of whom anything is held here.

        The others are marked as gone, so that nothing is taken in of them any more.
        """
        units = {"units": [keys.member_unit(item) for item in subject_ids]}
        await connection.execute(_MARK, units)
        known = await connection.scalars(_KNOWN, units)
        before = await connection.scalars(_NAMED_BEFORE, {"category": CATEGORY})
        return sorted({*known, *before})

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the rows of these members, by table."""
        row = (await connection.execute(_COUNT, {"ids": self.subjects(units)})).one()
        return {"token": row.token, "idempotency": row.idempotency}

    async def destroy(self, connection: AsyncConnection, cutoffs: Cutoffs, units: Sequence[str]) -> Destroyed:
        """Destroy salts first, then rows."""
        members = self.subjects(units)
        await connection.execute(_LOCK, {"units": list(units)})
        sample = (await connection.execute(_SAMPLE, {"ids": members})).one_or_none()
        salts = (await connection.execute(_DESTROY_SALTS, {"units": list(units)})).rowcount
        tokens = (await connection.execute(_DELETE_TOKENS, {"ids": members})).rowcount
        requests = (await connection.execute(_FORGET_REQUESTS, {"ids": members})).rowcount
        kept = None
        if sample is not None:
            unit, place = keys.member_unit(str(sample.member_id)), keys.number_place(sample.token)
            kept = Sample(keys.NUMBER_KEYS[sample.kind], unit, place, sample.sealed)
        return Destroyed({"erasure_key": salts, "token": tokens, "idempotency": requests}, sample=kept)

    async def held(self, connection: AsyncConnection, units: Sequence[str]) -> Collection[str]:
        """Return the members whom a hold keeps, with all their tokens."""
        return [keys.member_unit(member_id) for member_id in await holds.members(connection, self.subjects(units))]

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return the members' ids."""
        return [unit.removeprefix(_PREFIX) for unit in units]
