"""How much may be destroyed without a person: a plan above it waits for one who has not asked for it (four eyes)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

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
        return any(self._size(part) > self.limits[self.measure(part.category)] for part in parts)

    def measure(self, category: str) -> Measure:
        """Return what is counted of a category. Raises KeyError."""
        if category in OF_MEMBERS:
            return Measure.MEMBERS
        return Measure.LOGIN_RECORDS if self.categories[category].store == "log" else Measure.RECORDS

    def _size(self, part: Part) -> int:
        return sum(part.planned.values()) if self.measure(part.category) is Measure.LOGIN_RECORDS else part.units
