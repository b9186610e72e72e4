"""`due` is the exact inverse of `end`, every day of 2020 to 2040, for every category and every fact about the owner."""

from bisect import bisect_left
from datetime import date, timedelta
from functools import cache

import pytest

from chassis.policy.calendar import Calendar
from tests.unit.calendar_schedule import IDS, calendar

DAY = timedelta(days=1)
TODAYS = [date(2020, 1, 1) + n * DAY for n in range(7671)]  # through 2040-12-31
# Ten years and a filing deadline of fifteen months before the first day, and at once on the last.
EVENTS = [date(2008, 1, 1) + n * DAY for n in range((date(2041, 1, 2) - date(2008, 1, 1)).days)]
DATED = [name for name in IDS if calendar(credit_information_user=True).due(name, TODAYS[0])]
YEAR_ENDS = [(month, period) for month in range(1, 13) for period in ("half_year", "quarter")]


@cache
def of(rolls: bool, **facts: object) -> Calendar:
    """The calendar with the maximum of credit information in force, so that it is walked too."""
    return calendar(apply_civil_act_161=rolls, credit_information_user=True, **facts)


def walk(days: Calendar, name: str) -> None:
    """Each event's end is computed once; what is due on a day must be the last event whose end lies before it."""
    ends = [end for event in EVENTS if (end := days.end(name, event))]
    assert len(EVENTS) == len(ends)
    assert sorted(ends) == ends, "a later event ends earlier"
    # The first event of those that are kept today: all before it have ended before today.
    kept = [bisect_left(ends, today) for today in TODAYS]
    assert kept[0] > 0
    assert all(ends[n - 1] < today <= ends[n] for n, today in zip(kept, TODAYS, strict=True))
    assert [EVENTS[n - 1] for n in kept] == [days.due(name, today) for today in TODAYS]


@pytest.mark.parametrize("rolls", [False, True], ids=["as it is", "over holidays"])
@pytest.mark.parametrize("name", DATED)
def test_due_is_the_exact_inverse_of_end(name: str, rolls: bool) -> None:
    """LC-01, R-01 to R-28: nothing is due before its end, everything is the day after, and it never goes back."""
    walk(of(rolls), name)


@pytest.mark.parametrize("rolls", [False, True], ids=["as it is", "over holidays"])
@pytest.mark.parametrize(("month", "period"), YEAR_ENDS)
def test_so_it_is_for_every_business_year(month: int, period: str, rolls: bool) -> None:
    """R-10, SE-04: the inverse holds whenever the business year ends and however VAT is filed."""
    walk(of(rolls, fiscal_year_end_month=month, vat_period=period), "R-10")


def test_so_it_is_for_an_auxiliary() -> None:
    """R-11: the inverse holds for the shorter period of an auxiliary too."""
    walk(of(False, electronic_finance_role="auxiliary"), "R-11")


def test_every_category_with_a_period_is_walked() -> None:
    """R-27 and R-28 alone have no date of their own; no other row of the schedule escapes."""
    assert ["R-27", "R-28"] == sorted(set(IDS) - set(DATED))
