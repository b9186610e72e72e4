"""Whether a record may be taken in, and as what: each item of a batch on its own, before anything is written."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from google.protobuf.message import Message
from onggi.identity.v1 import record_service_pb2 as api

from chassis import contract
from chassis.errors import DomainError, InvalidField, Violation
from chassis.instants import instant
from chassis.kst import event_date
from chassis.policy.calendars import Calendars
from chassis.policy.retention import Retention
from services.identity import record_forms
from services.identity.kept_fields import KeptFields
from services.identity.record_bases import RecordBases, RecordBasis

_LATEST = timedelta(days=1)
_OLDEST = date(2000, 1, 1)


class Fresh(NamedTuple):
    """A record that is fit to be added.

    ``day``: when it occurred, in Korea. ``bases``: those that are not over. ``fields``: those that the bases keep, by
    name. ``consents``: the member's consents without which it may not be added.
    """

    record_id: str
    kind: str
    day: date
    record: api.Record
    bases: tuple[RecordBasis, ...]
    fields: Mapping[str, str]
    consents: frozenset[str]


class Intake:
    """Checks records against the contract and the policy."""

    def __init__(self, retention: Retention, calendars: Calendars) -> None:
        self._retention = retention
        self._bases = RecordBases(retention, calendars)
        self._kept = KeptFields(retention)

    def take(self, record: api.Record, today: date) -> Fresh | DomainError:
        """Return what may be added, or why not. Its body is brought into one form, in place."""
        if (error := contract.check_item(record)) is not None:
            return error
        try:
            return self._take(record, _day(record), today)
        except DomainError as failure:
            return failure

    def _take(self, record: api.Record, day: date, today: date) -> Fresh:
        kind = record.WhichOneof("body") or ""
        body: Message = getattr(record, kind)
        bases = self._bases.of(kind, record.standings, day, today)
        if early := list(_early(record.standings, day)):
            raise InvalidField(early)
        given = _texts(body)
        record_forms.normalise(kind, body)
        fields: dict[str, str] = {}
        if self._retention.records[kind].kept == "by field":
            names = [basis.category for basis in bases]
            if homeless := sorted(given.keys() - self._kept.of(kind, names)):
                raise InvalidField([Violation(f"{kind}.{field}", "NO_BASIS") for field in homeless])
            bases = self._bases.living(bases, today)
            kept = self._kept.of(kind, [basis.category for basis in bases])
            fields = {name: text for name, text in {**_texts(body), **record_forms.made(body)}.items() if name in kept}
            if not fields:
                raise period_ended()
        return Fresh(str(uuid.uuid4()), kind, day, record, bases, fields, self._bases.consents(bases))


def period_ended() -> DomainError:
    """The error of a record that would outlive its period."""
    return InvalidField([Violation("occurred_at", "PERIOD_ENDED")])


def _day(record: api.Record) -> date:
    """Return the Korean day of a record. Raises InvalidField for a time that has not come or is absurd."""
    occurred_at = instant(record.occurred_at, "occurred_at")
    if occurred_at > datetime.now(UTC) + _LATEST:
        raise InvalidField([Violation("occurred_at", "in_the_future")])
    day = event_date(occurred_at)
    if day < _OLDEST:
        raise InvalidField([Violation("occurred_at", "too_old")])
    return day


def _early(standings: Iterable[api.Standing], day: date) -> Iterator[Violation]:
    """Yield the start events before the record itself: its statutory period would end too early."""
    for index, item in enumerate(standings):
        if item.event_date and date.fromisoformat(item.event_date) < day:
            yield Violation(f"standings[{index}].event_date", "BEFORE_THE_RECORD")


def _texts(body: Message) -> dict[str, str]:
    return {field.name: value for field, value in body.ListFields()}
