"""Which bases of a record still keep, which fields of it with them, and whether it belongs into the archive.

The mover asks before it puts a record in, the reader before it shows one: both by the policy, on a Korean day.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from chassis.kst import event_date
from chassis.policy import keeping
from chassis.policy.calendars import Calendars
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.retention import Basis
from services.identity.kept_fields import KeptFields
from services.identity.record_bases import RecordBasis

Clock = Callable[[], datetime]

ARCHIVE = "archive"
LAW = "law"


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


class Share(NamedTuple):
    """What of a record is meant: bases, and the fields that they keep."""

    bases: tuple[RecordBasis, ...]
    fields: frozenset[str]


class Standings:
    """What the policy says of the bases of records. ``clock``: what is over depends on the day."""

    def __init__(self, policy: PrivacyPolicy, clock: Clock = now) -> None:
        self._purposes = policy.purposes.purposes
        self._categories = policy.retention.categories
        self._calendars = Calendars(policy)
        self._kept = KeptFields(policy.retention)
        self.hold_purpose = policy.retention.holds.purpose
        self._clock = clock

    def moving(
        self, kind: str, bases: Iterable[RecordBasis], collected_under: str, *, held: bool = False
    ) -> Share | None:  # fmt: skip
        """Return what the archive gets of a record whose member has left; None where it has to stay, or has ended.

        ``collected_under``: the version of the policy that the record pins. It moves when every basis that still keeps it
        is the archive's, with those bases, what limits them, and their fields. A basis that the policy does not know keeps
        it where it is. What a legal hold keeps moves with everything, and also when nothing else keeps it.
        """
        known = list(bases)
        if not known or not all(basis.category in self._categories for basis in known):
            return None
        living = self._living(known, collected_under)
        if any(self._categories[basis.category].store != ARCHIVE for basis in living):
            return None
        if held:
            return self._whole(kind, known)
        if not living:
            return None
        limits = [basis for basis in known if self._categories[basis.category].basis is Basis.LAW_MAX]
        return Share((*living, *limits), self._kept.of(kind, [basis.category for basis in living]))

    def opened(
        self, kind: str, bases: Iterable[RecordBasis], collected_under: str, purpose: str, *, held: bool = False
    ) -> Share | None:  # fmt: skip
        """Return what the purpose opens of an archived record: a living basis is the lock, and opens its fields alone.

        A legal hold is the lock for its own purpose, and opens everything.
        """
        if purpose == self.hold_purpose:
            return self._whole(kind, list(bases)) if held else None
        living = self._living(bases, collected_under)
        mine = [basis for basis in living if basis.category in self.of_purpose(purpose)]
        return Share(tuple(mine), self._kept.of(kind, [basis.category for basis in mine])) if mine else None

    def of_purpose(self, purpose: str) -> Sequence[str]:
        """Return the archived categories that are read under a purpose: none, unless it is of the kind "law"."""
        stated = self._purposes.get(purpose)
        if stated is None or stated.kind != LAW:
            return []
        return [
            name
            for name, category in self._categories.items()
            if category.purpose == purpose and ARCHIVE in category.holders
        ]

    def _whole(self, kind: str, bases: Sequence[RecordBasis]) -> Share:
        return Share(tuple(bases), self._kept.of(kind, [basis.category for basis in bases]))

    def _living(self, bases: Iterable[RecordBasis], collected_under: str) -> list[RecordBasis]:
        """Return those that keep something today, a maximum cutting what stands by will alone."""
        today = event_date(self._clock())
        calendar = self._calendars.of(collected_under, today)
        by_category = {basis.category: basis for basis in bases if basis.category in self._categories}
        standings = [
            keeping.Standing.under(calendar, name, basis.event_date, basis.ended_on)
            for name, basis in by_category.items()
        ]
        living = {standing.category for standing in keeping.living(standings, today)}
        return [basis for name, basis in by_category.items() if name in living]
