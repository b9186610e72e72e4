"""Which categories are planned, at which holder and up to which day: the policy's rows, as plans need them.

What is kept under which article and for how long stands in the policy (policy/chapters/4-retention.toml) and nowhere else.
What stands here is which holder learns of the start event from another: such categories are planned together or not at
all, since once the members are gone nobody knows any more whose tokens are due.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from chassis.cutoffs import NEVER, Cutoffs
from chassis.policy.calendars import Calendars
from chassis.policy.retention import ARCHIVE, Category
from services.retention.refusals import CategoryUnknown

FOLLOWS: Mapping[str, str] = {"R-03": "R-01"}
"""Category -> the one whose subjects are its own: the vault knows whose tokens it has, identity who has left."""
OF_MEMBERS = frozenset(FOLLOWS.values()) | FOLLOWS.keys()
"""What ends with a membership as a whole: by one date for all, since who follows knows no version."""


@dataclass(frozen=True, slots=True)
class Due:
    """What one holder is asked for: all of the category whose event date is ``through`` or earlier.

    ``by_version``: the dates that hold instead for what was collected under these versions of the policy. ``left_over``: a
    released hold has left it at a holder that is none of the category; it was over when it came, whatever its date.
    """

    category: str
    holder: str
    through: date
    by_version: Mapping[str, date] = field(default_factory=dict, hash=False)
    left_over: bool = False

    @property
    def follows(self) -> str | None:
        """The category whose subjects this one has, if it does not know them itself."""
        return FOLLOWS.get(self.category)


class Categories:
    """The rows of the policy, with the calendars by which they end."""

    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars

    def __getitem__(self, name: str) -> Category:
        """Return the policy's row. Raises KeyError."""
        return self._calendars.categories[name]

    def version_on(self, day: date) -> str:
        """Return the version of the policy that is in force on a Korean day."""
        return self._calendars.version_on(day)

    def chosen(self, names: Collection[str], day: date) -> list[Due]:
        """Return what to plan on ``day``, a Korean day, in the policy's order: of those named and what goes with them.

        None named is all that somebody holds and that is in force. Last comes what holds may have left over of them in the
        archive. Raises CategoryUnknown for a name that is not.
        """
        planned = {name: cutoffs for name in self._calendars.categories if (cutoffs := self._cutoffs(name, day))}
        if not planned.keys() >= set(names):
            raise CategoryUnknown
        wanted = {_leader(name) for name in names or planned}
        return [
            Due(name, holder, cutoffs.through, cutoffs.by_version)
            for name, cutoffs in planned.items()
            if _leader(name) in wanted
            for holder in self[name].holders
        ] + [
            Due(name, ARCHIVE, day, left_over=True)
            for name in self._calendars.brought_by_holds
            if _leader(name) in wanted
        ]

    def _cutoffs(self, name: str, day: date) -> Cutoffs | None:
        """Return what is due by the version in force, and by every version that has another date; None if nothing can be.

        Versions that are announced count too: on the eve of the first day of one, a clock that is ahead collects under it.
        """
        through = self._calendars.in_force(day).due(name, day)
        if through is None or not self[name].holders:
            return None
        versions = () if name in OF_MEMBERS else self._calendars.versions
        due = {version: self._calendars.of(version, day).due(name, day) or NEVER for version in versions}
        return Cutoffs(through, {version: another for version, another in due.items() if another != through})


def _leader(name: str) -> str:
    return FOLLOWS.get(name, name)
