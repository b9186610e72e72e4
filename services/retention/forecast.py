"""How much may be destroyed without a person: a plan above it waits for one who has not asked for it (four eyes)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chassis.policy.retention import ARCHIVE
from services.retention.categories import OF_MEMBERS, Categories
from services.retention.plan import Part


class Measure(StrEnum):
    """What the forecast counts; also the names of its settings."""

    MEMBERS = "members"
    """Units of what ends with a membership as a whole: members that have left."""
    LOGIN_RECORDS = "login_records"
    """Rows of log-like records, whose units are days."""
    RECORDS = "records"
    """Units of everything else: records, and the fields that they lose."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The owner's numbers, by what they count."""

    categories: Categories
    limits: Mapping[Measure, int]

    def is_exceeded(self, parts: Sequence[Part]) -> bool:
        """Return whether a part destroys more than the forecast. Each part is measured by itself."""
        return any(self._size(part) > self.limits[self.measure(part)] for part in parts)

    def measure(self, part: Part) -> Measure:
        """Return what is counted of a part; in the archive, records, whatever they stand under. Raises KeyError."""
        if part.holder == ARCHIVE:
            return Measure.RECORDS
        if part.category in OF_MEMBERS:
            return Measure.MEMBERS
        return Measure.LOGIN_RECORDS if self.categories[part.category].store == "log" else Measure.RECORDS

    def _size(self, part: Part) -> int:
        return sum(part.planned.values()) if self.measure(part) is Measure.LOGIN_RECORDS else part.units
