"""Days on which no period ends: Saturdays, Sundays and public holidays with their substitutes (민법 제161조).

Whether the article holds for retention is a question to counsel, so the calendar applies it only where the owner says so.

The holidays are those of the library `holidays` for the years that it knows, 1948 to 2100; outside of them only
Saturdays and Sundays are. Of the years ahead nobody knows the temporary holidays (임시공휴일) that the government
has yet to declare, nor what a later law adds: an end that lies ahead is a forecast. It is computed anew each day and
never stored, so that it follows the library's next release; only the days next to today decide what is destroyed.
"""

from datetime import date
from functools import cache

from holidays import country_holidays

from chassis.policy.civil_act import DAY

_SATURDAY = 5


def rests(day: date) -> bool:
    """Whether no period ends on `day`, because it is a Saturday, a Sunday or a public holiday."""
    return day.weekday() >= _SATURDAY or day in _public_holidays(day.year)


def on_or_after(day: date) -> date:
    """The day to which an end that falls on `day` moves: itself if it is a working day, else the next that is."""
    while rests(day):
        day += DAY
    return day


def on_or_before(day: date) -> date:
    """The last working day up to `day`; the ends that have moved to it or to an earlier one fell on or before it."""
    while rests(day):
        day -= DAY
    return day


@cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(country_holidays("KR", years=year, expand=False))
