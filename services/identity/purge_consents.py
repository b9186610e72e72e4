"""R-15: the proof of a consent, kept for a time after its withdrawal. A consent that lives has no end."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import holds
from chassis.cutoffs import Cutoffs, is_due, parameters
from chassis.purge_category import Category, Destroyed

CATEGORY = "R-15"
_PREFIX = "consent:"

_ENDED = is_due("withdrawn_on", "policy_version")
_DUE = text(f"SELECT 'consent:' || consent_id FROM consent WHERE {_ENDED} ORDER BY consent_id")
_COUNT = text("SELECT count(*) FROM consent WHERE consent_id = ANY(CAST(:ids AS uuid[]))")
_HELD = text(f"""
SELECT 'consent:' || consent_id FROM consent AS c
WHERE consent_id = ANY(CAST(:ids AS uuid[])) AND {holds.held("c.member_id", "c.consent_id")}
""")
_DELETE = text(f"""
DELETE FROM consent WHERE consent_id = ANY(CAST(:ids AS uuid[])) AND {_ENDED} RETURNING consent_id
""")


class EndedConsents(Category):
    """The category's part in chassis.purge. Nothing of a consent is sealed, so no salt goes with it."""

    async def collect(self, connection: AsyncConnection, cutoffs: Cutoffs, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return the consents that were withdrawn on the cut-off of the version that they were given under, or earlier."""
        return list(await connection.scalars(_DUE, parameters(cutoffs)))

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the rows of these consents."""
        return {"consent": await connection.scalar(_COUNT, {"ids": _ids(units)}) or 0}

    async def destroy(self, connection: AsyncConnection, cutoffs: Cutoffs, units: Sequence[str]) -> Destroyed:
        """Delete those that are still due."""
        found = await connection.scalars(_DELETE, {"ids": _ids(units), **parameters(cutoffs)})
        gone = {f"{_PREFIX}{consent_id}" for consent_id in found}
        return Destroyed({"consent": len(gone)}, skipped=sorted(set(units) - gone))

    async def held(self, connection: AsyncConnection, units: Sequence[str]) -> Collection[str]:
        """Return the consents that a hold keeps."""
        return list(await connection.scalars(_HELD, {"ids": _ids(units)}))

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return nothing: a consent is not a data subject."""
        return []


def _ids(units: Sequence[str]) -> list[str]:
    return [unit.removeprefix(_PREFIX) for unit in units]
