"""How long something is kept that stands under several bases at once, and which of its fields are (법 제21조 제1항 단서).

It lives while any basis lives, and each field while a basis that keeps this field lives. A statutory minimum is never
shortened; a statutory maximum cuts what only a consent or a contract would keep. Where a minimum goes beyond a maximum
the law contradicts itself: this is shown to a person, and nothing is destroyed before one has decided.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Self

from chassis.policy.calendar import Calendar
from chassis.policy.civil_act import DAY
from chassis.policy.retention import BY_WILL, Basis


@dataclass(frozen=True, slots=True)
class Standing:
    """One basis that something stands under.

    ``category``: its id in the schedule, or the name of a hold. ``last_day``: the last Korean day that it keeps, None
    while nothing ends it. ``keeps``: the fields (``Message.field``) that it keeps; a maximum keeps none.
    """

    category: str
    basis: Basis
    last_day: date | None
    keeps: frozenset[str] = frozenset()

    @classmethod
    def under(cls, calendar: Calendar, category_id: str, event: date | None, ended_on: date | None = None) -> Self:
        """The standing under a category of the schedule.

        `event`: the day of its start event, None until that is noted. `ended_on`: the day on which it was ended before
        its time (동의 철회): due at once, so the day before is the last one kept. A statutory period cannot be ended:
        `ended_on` is ignored for it. Raises KeyError for an unknown category.
        """
        category = calendar.categories[category_id]
        last_day = None if event is None else calendar.end(category_id, event)
        if ended_on is not None and category.basis in BY_WILL:
            last_day = ended_on - DAY if last_day is None else min(last_day, ended_on - DAY)
        return cls(category_id, category.basis, last_day, frozenset(category.keeps))

    def lives(self, today: date) -> bool:
        """Whether it still keeps on `today`."""
        return self.last_day is None or today <= self.last_day


class Kept(NamedTuple):
    """How long.

    ``until``: the last day kept; None while nothing ends it yet; `date.min` where nothing keeps it at all.
    ``conflict``: a statutory minimum goes beyond a statutory maximum (CONFLICT). ``decided_by``: the category ids of the
    standings that end last, or of the maximum that cut them, in order.
    """

    until: date | None
    conflict: bool
    decided_by: tuple[str, ...]


def keep_until(standings: Iterable[Standing]) -> Kept:
    """Combine the bases of one thing.

    A hold keeps beyond a maximum, as another law orders it to (법 제21조 제1항 단서). A minimum whose start event is
    not noted yet keeps without an end and cannot be compared with a maximum before it is.
    """
    all_ = tuple(standings)
    maximum = _maximum(all_)
    cut = [_cut(standing, maximum) for standing in all_ if standing.basis is not Basis.LAW_MAX]
    conflict = maximum is not None and any(
        s.basis is Basis.LAW_MIN and s.last_day is not None and s.last_day > _day(maximum) for s in cut
    )
    if not cut:
        return Kept(date.min, conflict, ())
    last = max(cut, key=_day)
    deciding = {s.category for s in cut if s.last_day == last.last_day}
    return Kept(last.last_day, conflict, tuple(sorted(deciding)))


def living(standings: Iterable[Standing], today: date) -> tuple[Standing, ...]:
    """The standings that keep something on `today`, in order; those by will only up to the maximum."""
    all_ = tuple(standings)
    maximum = _maximum(all_)
    return tuple(s for s in all_ if s.basis is not Basis.LAW_MAX and _cut(s, maximum).lives(today))


def fields_kept(standings: Iterable[Standing], today: date) -> frozenset[str]:
    """The fields that live on `today`; every other field of the thing is due."""
    return frozenset[str]().union(*(standing.keeps for standing in living(standings, today)))


def _maximum(standings: tuple[Standing, ...]) -> Standing | None:
    """The statutory maximum that ends first, of those whose end is known; of several on one day the first by its id."""
    ends = [s for s in standings if s.basis is Basis.LAW_MAX and s.last_day is not None]
    return min(ends, key=lambda s: (_day(s), s.category), default=None)


def _cut(standing: Standing, maximum: Standing | None) -> Standing:
    """The standing, ended with the maximum (and by its name) where it is by will and would go beyond it."""
    if maximum is None or standing.basis not in BY_WILL or _day(standing) <= _day(maximum):
        return standing
    return Standing(maximum.category, standing.basis, maximum.last_day, standing.keeps)


def _day(standing: Standing) -> date:
    return standing.last_day or date.max
