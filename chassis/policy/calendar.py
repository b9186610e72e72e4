"""When what is kept under a category ends, and what is due today: the schedule's periods on Korean days, no I/O.

Ends are computed and never stored, so a changed law, a changed fact about the owner or a corrected event takes effect
at once. One date per category tells all that is due: no later event ever ends before an earlier one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from chassis.policy import civil_act, holiday
from chassis.policy.civil_act import DAY, due, last_day
from chassis.policy.duration import Period
from chassis.policy.owner import Owner
from chassis.policy.retention import AT_ONCE, OPEN, Category
from chassis.policy.tax_calendar import TaxCalendar

__all__ = ["Calendar", "due", "due_at_once", "last_day", "period_in_force"]


class Calendar:
    """The ends of all categories for one owner.

    Every method raises KeyError for a category that the schedule does not have, and TypeError for an instant.
    """

    def __init__(self, owner: Owner, categories: Mapping[str, Category]) -> None:
        """`owner` must have the settings that `categories` name; AttributeError otherwise, ValueError for a bad value."""
        self.categories = categories
        self._counts = {name: _count(category, owner) for name, category in categories.items()}

    def end(self, category_id: str, event: date) -> date | None:
        """The last day kept for an event of that day; None where no period ends it ("open", or not in force)."""
        civil_act.refuse_instant(event)
        count = self._counts[category_id]
        return count.end(event) if count else None

    def due(self, category_id: str, today: date) -> date | None:
        """The latest event date that is due on `today`, its end being past; None where no date alone can tell."""
        civil_act.refuse_instant(today)
        count = self._counts[category_id]
        return count.due(today) if count and self.categories[category_id].start.dated else None


def period_in_force(category: Category, owner: Owner) -> str | None:
    """The category's period for this owner, as the policy writes it; None where a setting that it requires is off."""
    if category.requires and not getattr(owner, category.requires):
        return None
    return category.period_under(owner.text)


def due_at_once(today: date) -> date:
    """The latest event date that is due `today` where nothing is kept after the event: today itself (법 제21조)."""
    civil_act.refuse_instant(today)
    return today


class _Count(Protocol):
    def end(self, event: date) -> date: ...

    def due(self, today: date) -> date: ...


class _AtOnce:
    """Kept no day after the event: the last one is the day before."""

    def end(self, event: date) -> date:
        return event - DAY

    def due(self, today: date) -> date:
        return due_at_once(today)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Kept for a period after the event, or after the filing deadline of its tax period; ends on working days if told."""

    period: Period
    tax: TaxCalendar | None
    rolls: bool

    def end(self, event: date) -> date:
        end = last_day(self.tax.deadline(event) if self.tax else event, self.period)
        return holiday.on_or_after(end) if self.rolls else end

    def due(self, today: date) -> date:
        # A moved end is past if and only if the end itself lies on or before the last working day that is past.
        latest = due(self.period, holiday.on_or_before(today - DAY) + DAY if self.rolls else today)
        return self.tax.latest(latest) if self.tax else latest


def _count(category: Category, owner: Owner) -> _Count | None:
    period = period_in_force(category, owner)
    if period in (None, OPEN):
        return None
    if period == AT_ONCE:
        return _AtOnce()
    rolls = owner.apply_civil_act_161
    by_deadline = category.start.counted_from == "filing_deadline"
    tax = TaxCalendar(owner.fiscal_year_end_month, owner.vat_period, rolls) if by_deadline else None
    return _Counted(Period.parse(period), tax, rolls)
