"""How long something is kept, in calendar units."""

import re
from dataclasses import dataclass
from typing import Self

_PART = re.compile(r"([1-9][0-9]{0,3}) (year|month|day)s?")


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in calendar units; 12 months are a year, but 30 days are not a month."""

    years: int = 0
    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError for a negative unit, or for no length at all: at once is no period."""
        if min(self.years, self.months, self.days) < 0 or not (self.total_months or self.days):
            raise ValueError("a period has a positive length")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The period written as "3 months", "1 year" or "1 year 6 months"; ValueError for anything else."""
        parts = list(_PART.finditer(text))
        units = {part[2]: int(part[1]) for part in parts}
        if " ".join(part[0] for part in parts) != text or len(units) != len(parts):
            raise ValueError(f"not a period: {text!r}")
        return cls(units.get("year", 0), units.get("month", 0), units.get("day", 0))

    @property
    def total_months(self) -> int:
        """The years and months together, in months."""
        return 12 * self.years + self.months
