"""From when tax records are kept: the day on which the statutory filing deadline (법정신고기한) of their tax period passes.

국세기본법 제85조의3 제2항 and 법인세법 제116조 count the five years from there and not from the transaction, for which
reason a transaction of January can be kept fifteen months longer than five years.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache

from chassis.policy import civil_act, holiday
from chassis.policy.civil_act import DAY
from chassis.policy.duration import Period

_CORPORATE_TAX = Period(months=3)
"""법인세법 제60조: within three months from the last day of the month in which the business year ends."""
_VAT = Period(days=25)
"""부가가치세법 제48조, 제49조: within 25 days after the end of the (preliminary) taxable period."""
_VAT_MONTHS = {"half_year": 6, "quarter": 3}


@dataclass(frozen=True, slots=True)
class TaxCalendar:
    """The filing deadlines of one taxpayer whose business years are twelve whole months, always the same ones.

    ``fiscal_year_end_month``: 1 to 12. ``vat_period``: "half_year" or "quarter". ``rolls``: a deadline on a Saturday or
    holiday moves to the next working day (국세기본법 제5조). Raises ValueError for another month or period.
    """

    fiscal_year_end_month: int
    vat_period: str
    rolls: bool = False

    def __post_init__(self) -> None:
        """Refuses what would silently give a wrong deadline."""
        if not 1 <= self.fiscal_year_end_month <= 12:
            raise ValueError("the fiscal year ends in a month from 1 to 12")
        if self.vat_period not in _VAT_MONTHS:
            raise ValueError("the VAT period is half_year or quarter")

    def deadline(self, transaction: date) -> date:
        """The day on which the later of the two deadlines passes, for a transaction of that Korean day."""
        civil_act.refuse_instant(transaction)
        return _deadline(self, transaction.year, transaction.month)

    def latest(self, deadline: date) -> date:
        """The latest transaction whose deadline passes on or before the day `deadline`: the inverse of `deadline`."""
        day = holiday.on_or_before(deadline) if self.rolls else deadline
        corporate = civil_act.due(_CORPORATE_TAX, day + DAY)
        vat = civil_act.due(_VAT, day + DAY)
        return min(
            _last_period_end(corporate, 12, self.fiscal_year_end_month),
            _last_period_end(vat, _VAT_MONTHS[self.vat_period]),
        )


@cache
def _deadline(taxpayer: TaxCalendar, year: int, month: int) -> date:
    day = date(year, month, 1)
    corporate = civil_act.last_day(_period_end(day, 12, taxpayer.fiscal_year_end_month), _CORPORATE_TAX)
    vat = civil_act.last_day(_period_end(day, _VAT_MONTHS[taxpayer.vat_period]), _VAT)
    latest = max(corporate, vat)
    return holiday.on_or_after(latest) if taxpayer.rolls else latest


def _period_end(day: date, months: int, last_month: int = 12) -> date:
    """The last day of the period of `months`, one of which ends with the month `last_month`, in which `day` lies."""
    return _month_end(*civil_act.month_of(day, (last_month - day.month) % months))


def _last_period_end(day: date, months: int, last_month: int = 12) -> date:
    """The last day of the latest such period that has ended on or before `day`."""
    end = _period_end(day, months, last_month)
    return end if end == day else _month_end(*civil_act.month_of(end, -months))


def _month_end(year: int, month: int) -> date:
    return date(year, month, civil_act.month_length(year, month))
