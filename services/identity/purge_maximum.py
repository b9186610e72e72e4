"""Records that a statutory maximum (LAW_MAX) has come to the end of: what only a consent or a contract keeps longer is cut.

What a law keeps at least is never cut. Where it keeps beyond the maximum, the laws contradict each other (CONFLICT): the
record is no unit of a plan for it, each plan tells of it anew, and nothing is destroyed before a person has decided.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import kst
from chassis.cutoffs import Cutoffs, is_due
from chassis.policy.calendar import Calendar
from chassis.policy.calendars import Calendars
from chassis.policy.civil_act import DAY
from chassis.policy.keeping import Standing, keep_until
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.retention import BY_WILL, Basis
from services.identity import keys
from services.identity.archive.store import BASES, bases
from services.identity.purge_records import EndedBases
from services.identity.record_bases import RecordBasis

_OTHER = "SELECT FROM record_basis AS o WHERE o.record_id = b.record_id AND o.category"
# A basis that the policy does not know is taken for a law's: it keeps.
_MINIMUM = f"EXISTS ({_OTHER} <> ALL(CAST(:ending AS text[])) AND o.category <> ALL(CAST(:maxima AS text[])))"
_ENDED = f"""
FROM record_basis AS b JOIN record AS r ON r.record_id = b.record_id
WHERE b.category = :category AND {is_due("b.event_date", "r.policy_version")}
"""
# What has nothing to be cut, and what a law keeps, is left to the end of that law's own period.
_CUT = f"{_ENDED} AND (EXISTS ({_OTHER} = ANY(CAST(:ending AS text[]))) OR NOT {_MINIMUM})"
_DUE = text(f"SELECT b.record_id {_CUT} ORDER BY b.record_id")
_LOCK_DUE = text(f"SELECT b.record_id {_CUT} AND b.record_id = ANY(CAST(:ids AS uuid[])) FOR UPDATE OF b")
_KEPT_BY_LAW = text(f"SELECT r.record_id, r.policy_version, {BASES} {_ENDED} AND {_MINIMUM} ORDER BY r.record_id")


class EndedMaximum(EndedBases):
    """A maximum's part in chassis.purge: with it ends every basis by will of a record, and what that alone kept."""

    def __init__(
        self, category: str, policy: PrivacyPolicy, *, service: str = keys.SERVICE, key: str = keys.PII_KEY
    ) -> None:
        """``service``, ``key``: as of EndedBases."""
        super().__init__(category, policy.retention, service=service, key=key)
        self._calendars = Calendars(policy)
        self._ending = sorted(name for name, row in policy.retention.categories.items() if row.basis in BY_WILL)
        self._due, self._lock_due = _DUE, _LOCK_DUE

    def _values(self, cutoffs: Cutoffs) -> dict[str, object]:
        return {**super()._values(cutoffs), "ending": self._ending, "maxima": sorted(self._maxima)}

    async def conflicts(self, connection: AsyncConnection, cutoffs: Cutoffs) -> Sequence[str]:
        """Return the records that a law still keeps, beyond this maximum, on the day that the cut-offs are of."""
        kept = await connection.execute(_KEPT_BY_LAW, self._values(cutoffs))
        today = kst.today()
        seen: dict[tuple[object, ...], bool] = {}  # records with the same bases are the same question
        found = []
        for row in kept:
            shape = (row.policy_version, *bases(row.bases))
            if shape not in seen:
                calendar = self._calendars.of(row.policy_version, today)
                over_since = calendar.end(self._category, cutoffs.of(row.policy_version))
                seen[shape] = over_since is not None and is_conflict(calendar, bases(row.bases), over_since + DAY)
            if seen[shape]:
                found.append(str(row.record_id))
        return found


def is_conflict(calendar: Calendar, of_record: Sequence[RecordBasis], day: date) -> bool:
    """Return whether a law keeps on ``day`` what a maximum has ended; what has ended too awaits its own purge."""
    known = [Standing.under(calendar, *basis) for basis in of_record if basis.category in calendar.categories]
    return keep_until(each for each in known if each.basis is Basis.LAW_MAX or each.lives(day)).conflict
