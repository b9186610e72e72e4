"""Which categories are planned, at which holder and up to which day: the policy's rows, as plans need them.

What is kept under which article and for how long stands in the policy (policy/chapters/4-retention.toml) and nowhere else.
What stands here is which holder learns of the start event from another: such categories are planned together or not at
all, since once the members are gone nobody knows any more whose tokens are due.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from chassis.policy.retention import Category
from services.retention.calendars import Calendars
from services.retention.refusals import CategoryUnknown

FOLLOWS: Mapping[str, str] = {"R-03": "R-01"}
"""Category -> the one whose subjects are its own: the vault knows whose tokens it has, identity who has left."""


@dataclass(frozen=True, slots=True)
class Due:
    """What one holder is asked for: all of the category whose event date is ``through`` or earlier."""

    category: str
    holder: str
    through: date

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

    def chosen(self, names: Collection[str], day: date) -> list[Due]:
        """Return what to plan on ``day``, a Korean day, in the policy's order: of those named and what goes with them.

        None named is all that somebody holds and that is in force. Raises CategoryUnknown for a name that is not.
        """
        planned = {name: through for name in self._calendars.categories if (through := self._through(name, day))}
        if not planned.keys() >= set(names):
            raise CategoryUnknown
        wanted = {_leader(name) for name in names or planned}
        return [
            Due(name, holder, through)
            for name, through in planned.items()
            if _leader(name) in wanted
            for holder in self[name].holders
        ]

    def _through(self, name: str, day: date) -> date | None:
        return self._calendars.in_force(day).due(name, day) if self[name].holders else None


def _leader(name: str) -> str:
    return FOLLOWS.get(name, name)
