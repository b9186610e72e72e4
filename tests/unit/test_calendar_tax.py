"""The statutory filing deadline, from which the tax row counts."""

from datetime import UTC, date, datetime

import pytest

from chassis.policy.tax_calendar import TaxCalendar
from tests.unit.calendar_schedule import calendar

# Month of the year-end, VAT period, transaction, deadline: the later of corporate tax and VAT.
DEADLINES = [
    # 법인세법 제60조: three months from the end of the month of the year-end. VAT of the first half: 25 July.
    (12, "half_year", date(2026, 5, 10), date(2027, 3, 31)),
    (12, "half_year", date(2026, 1, 1), date(2027, 3, 31)),
    (12, "half_year", date(2026, 12, 31), date(2027, 3, 31)),
    (12, "half_year", date(2025, 12, 31), date(2026, 3, 31)),
    (12, "quarter", date(2026, 12, 31), date(2027, 3, 31)),
    # A year-end in March: the transaction of 31 March belongs to the year that ends then, that of 1 April to the next.
    (3, "half_year", date(2026, 3, 31), date(2026, 7, 25)),  # 30 June for the tax, 25 July for VAT: the later
    (3, "quarter", date(2026, 3, 31), date(2026, 6, 30)),  # 25 April for VAT
    (3, "half_year", date(2026, 4, 1), date(2027, 6, 30)),
    # A year-end in November: the last day of February, 29 in a leap year, whatever the length of November.
    (11, "half_year", date(2027, 11, 30), date(2028, 2, 29)),
    (11, "half_year", date(2026, 11, 30), date(2027, 2, 28)),
    # A year-end in February or June.
    (2, "quarter", date(2028, 2, 29), date(2028, 5, 31)),
    (2, "half_year", date(2028, 2, 29), date(2028, 7, 25)),
    (6, "half_year", date(2026, 6, 30), date(2026, 9, 30)),
    # A year-end in August: tax by 30 November, VAT of the second half by 25 January (부가가치세법 제49조).
    (8, "half_year", date(2026, 7, 1), date(2027, 1, 25)),
    (8, "quarter", date(2026, 7, 1), date(2026, 11, 30)),
    (8, "half_year", date(2026, 6, 30), date(2026, 11, 30)),
]


@pytest.mark.parametrize(("month", "period", "transaction", "deadline"), DEADLINES)
def test_the_deadline_is_the_later_of_the_two(month: int, period: str, transaction: date, deadline: date) -> None:
    """R-10, SE-04: 법인세법 제60조 and 부가가치세법 제48·49조, whichever passes later."""
    assert deadline == TaxCalendar(month, period).deadline(transaction)


def test_a_payment_of_may_is_kept_through_march_six_years_later() -> None:
    """R-10, SE-04: 2026-05-10 with a year-end in December is kept through 2032-03-31, not only through 2031-05-10."""
    assert date(2032, 3, 31) == calendar().end("R-10", date(2026, 5, 10))
    assert date(2025, 12, 31) == calendar().due("R-10", date(2032, 3, 31))
    assert date(2026, 12, 31) == calendar().due("R-10", date(2032, 4, 1))


def test_another_year_end_moves_the_tax_row_and_no_other() -> None:
    """R-10: the year-end is a fact of the owner; what is not counted from a filing deadline does not know it."""
    june = calendar(fiscal_year_end_month=6)

    assert date(2031, 9, 30) == june.end("R-10", date(2026, 5, 10))
    assert date(2031, 5, 10) == june.end("R-09b", date(2026, 5, 10))


def test_a_deadline_on_a_sunday_moves_only_if_the_owner_says_so() -> None:
    """R-10: 2019-03-31 was a Sunday; 국세기본법 제5조 moves it to Monday, and five years later counts from there."""
    assert date(2019, 3, 31) == TaxCalendar(12, "half_year").deadline(date(2018, 7, 1))
    assert date(2019, 4, 1) == TaxCalendar(12, "half_year", rolls=True).deadline(date(2018, 7, 1))
    assert date(2024, 4, 1) == calendar(apply_civil_act_161=True).end("R-10", date(2018, 7, 1))


@pytest.mark.parametrize(("month", "period"), [(0, "half_year"), (13, "half_year"), (12, "month")])
def test_what_is_no_business_year_is_refused(month: int, period: str) -> None:
    """A wrong fact stops the policy from loading; it never gives a wrong deadline."""
    with pytest.raises(ValueError, match=r"fiscal year|VAT"):
        TaxCalendar(month, period)


def test_an_instant_is_no_transaction_day() -> None:
    """LC-11: the tax year of an instant depends on the zone: 31 December 15:30 UTC is next year's in Korea."""
    with pytest.raises(TypeError, match="event_date"):
        TaxCalendar(12, "half_year").deadline(datetime(2024, 12, 31, 15, 30, tzinfo=UTC))
