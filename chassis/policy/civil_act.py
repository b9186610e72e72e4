"""When a period ends: the Civil Act (민법) on Korean days, as pure functions of dates.

The first day is not counted (제157조; a period that begins at 00:00 would count it, a start event never does), a period
runs by the calendar and ends the day before the day that corresponds to its first, or with the month if that month has
no such day (제160조). The roll-forward over Saturdays and holidays (제161조) is in `chassis.policy.holiday`.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import cache

from chassis.policy.duration import Period

DAY = timedelta(days=1)


def last_day(event: date, period: Period) -> date:
    """The last day on which something is kept `period` after `event`; it is due from 00:00 KST of the next day.

    Several events can share a last day (the 29th, 30th and 31st of January plus a month), none goes back behind
    an earlier one. Raises TypeError for an instant.
    """
    refuse_instant(event)
    first = event + DAY
    year, month = month_of(first, period.total_months)
    length = month_length(year, month)
    end = date(year, month, length) if first.day > length else date(year, month, first.day) - DAY
    return end + timedelta(days=period.days)


def due(period: Period, today: date) -> date:
    """The latest event date whose period has ended before `today`: everything up to and including it is due.

    The exact inverse of `last_day`: last_day(due(period, today)) < today <= last_day(due(period, today) + 1 day).
    Raises TypeError for an instant.
    """
    refuse_instant(today)
    # A day that its month does not have becomes the month's last: the next event's own end is then past `today` again.
    start = today - timedelta(days=period.days)
    year, month = month_of(start, -period.total_months)
    return date(year, month, min(start.day, month_length(year, month))) - DAY


def month_of(day: date, months: int) -> tuple[int, int]:
    """The year and the month that lie `months` after (or, negative, before) the month of `day`."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return year, month + 1


@cache
def month_length(year: int, month: int) -> int:
    """The number of days of a month."""
    return monthrange(year, month)[1]


def refuse_instant(day: date) -> None:
    """Raise TypeError for a datetime: it is a date to Python, and its day depends on a zone that the caller forgot."""
    if isinstance(day, datetime):
        raise TypeError("a day is needed, not an instant: use event_date")
