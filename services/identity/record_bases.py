"""The bases (보유 근거) that a record is taken in under, and since when: the policy decides, a caller may choose among them.

Where the record's own date or the member's withdrawal is the start event (기산점), the service knows its date and nobody
tells it; any other event has a date from the day on which somebody notes it.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from onggi.identity.v1 import record_service_pb2 as api

from chassis.errors import InvalidField, Violation
from chassis.policy.calendars import Calendars
from chassis.policy.keeping import Standing
from chassis.policy.retention import Basis, Category, Retention
from services.identity import maxima

OCCURRED, MEMBERSHIP_ENDED = "occurred", "membership_ended"


class RecordBasis(NamedTuple):
    """One basis of a record. ``event_date``: None while its start event has not come."""

    category: str
    event_date: date | None
    ended_on: date | None = None


class RecordBases:
    """What the schedule says about the bases of records."""

    def __init__(self, retention: Retention, calendars: Calendars) -> None:
        self._retention = retention
        self._calendars = calendars

    def of(
        self, kind: str, given: Sequence[api.Standing], occurred_on: date, today: date
    ) -> tuple[RecordBasis, ...]:  # fmt: skip
        """Return the bases of a new record, those given or the kind's own, and the maxima that limit it.

        Raises InvalidField.
        """
        limits = maxima.in_force(self._retention, self._calendars, kind)
        if not given:
            own = [name for name in self._retention.records[kind].stands_under if self._calendars.binds(name)]
            return tuple(self._basis(name, "", occurred_on) for name in own)
        if wrong := list(self._violations(kind, given, today)):
            raise InvalidField(wrong)
        events = dict.fromkeys(limits, "") | {item.category: item.event_date for item in given}
        return tuple(self._basis(name, event_date, occurred_on) for name, event_date in events.items())

    def living(self, bases: Iterable[RecordBasis], today: date) -> tuple[RecordBasis, ...]:
        """Return those of a record taken in today that are not over."""
        calendar = self._calendars.in_force(today)
        return tuple(basis for basis in bases if Standing.under(calendar, *basis).lives(today))

    def consents(self, bases: Iterable[RecordBasis]) -> frozenset[str]:
        """Return the consents that bases of these stand on."""
        categories = (self._retention.categories[basis.category] for basis in bases)
        return frozenset(category.consent for category in categories if category.basis is Basis.CONSENT)

    def can_be_noted(self, category: str) -> bool:
        """Return whether somebody has to note the date of a category's start event."""
        start = self._retention.categories[category].start
        return start.dated and start.event not in (OCCURRED, MEMBERSHIP_ENDED)

    def _basis(self, name: str, event_date: str, occurred_on: date) -> RecordBasis:
        if _is_the_records_own(self._retention.categories[name]):
            return RecordBasis(name, occurred_on)
        return RecordBasis(name, date.fromisoformat(event_date) if event_date else None)

    def _violations(self, kind: str, given: Sequence[api.Standing], today: date) -> Iterable[Violation]:
        allowed = self._retention.records[kind].may_stand_under
        seen: set[str] = set()
        for index, item in enumerate(given):
            path = f"standings[{index}]"
            if item.ended_on:
                yield Violation(f"{path}.ended_on", "NOT_GIVEN")
            if item.category not in allowed or not self._calendars.binds(item.category):
                yield Violation(f"{path}.category", "NOT_A_BASIS")
            elif item.category in seen:
                yield Violation(f"{path}.category", "REPEATED")
            elif item.event_date and (rule := self._wrong_date(item, today)):
                yield Violation(f"{path}.event_date", rule)
            seen.add(item.category)

    def _wrong_date(self, item: api.Standing, today: date) -> str:
        category = self._retention.categories[item.category]
        if _is_the_records_own(category) or category.start.event == MEMBERSHIP_ENDED:
            return "NOT_GIVEN"
        return wrong_day(item.event_date, today)


def wrong_day(text: str, today: date) -> str:
    """Return the rule that the day of an event breaks, or an empty string."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return "date"
    return "in_the_future" if day > today else ""


def _is_the_records_own(category: Category) -> bool:
    return category.start.event == OCCURRED or category.start.else_occurred
