"""When a retention period ends: the Civil Act (민법) on Korean days, as pure functions of dates.

The first day is not counted (제157조), a period runs by the calendar and ends the day before the day that corresponds
to its first, or with the month if that month has no such day (제160조). Ends are computed and never stored, so a
changed law or a corrected event takes effect at once. The roll-forward over holidays (제161조) is not applied: whether
it holds for retention is a question to counsel, and it would keep data longer than the policy says.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from chassis.kst import event_date

_DAY = timedelta(days=1)
_PART = re.compile(r"([1-9][0-9]{0,3}) (year|month|day)s?")


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in calendar units; 12 months are a year, but 30 days are not a month."""

    years: int = 0
    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError for a negative unit, or for no length at all: at once is `due_at_once`, not a period."""
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


def today_kst(now: datetime) -> date:
    """The Korean day that it is at `now`, an aware instant."""
    return event_date(now)


def last_day(event: date, period: Period) -> date:
    """The last day on which something is kept `period` after `event`; it is due from 00:00 KST of the next day.

    Several events can share a last day (the 29th, 30th and 31st of January plus a month), none goes back behind
    an earlier one.
    """
    _refuse_instant(event)
    first = event + _DAY
    year, month = _month_of(first, period.total_months)
    length = monthrange(year, month)[1]
    end = date(year, month, length) if first.day > length else date(year, month, first.day) - _DAY
    return end + timedelta(days=period.days)


def due(period: Period, today: date) -> date:
    """The latest event date whose period has ended before `today`: everything up to and including it is due.

    The exact inverse of `last_day`: last_day(due(period, today)) < today <= last_day(due(period, today) + 1 day).
    """
    _refuse_instant(today)
    # A day that its month does not have becomes the month's last: the next event's own end is then past `today` again.
    start = today - timedelta(days=period.days)
    year, month = _month_of(start, -period.total_months)
    return date(year, month, min(start.day, monthrange(year, month)[1])) - _DAY


def due_at_once(today: date) -> date:
    """The latest event date that is due `today` where nothing is kept after the event: today itself (법 제21조)."""
    _refuse_instant(today)
    return today


def _month_of(day: date, months: int) -> tuple[int, int]:
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return year, month + 1


def _refuse_instant(day: date) -> None:
    # A datetime is a date to Python, and its day depends on a time zone that the caller forgot.
    if isinstance(day, datetime):
        raise TypeError("a day is needed, not an instant: use event_date")
