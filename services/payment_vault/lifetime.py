"""How long a token lives: until its card ends, until a time that was asked for, until it is revealed once, or on."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from onggi.payment_vault.v1 import tokenization_service_pb2 as api

from chassis.errors import InvalidField, Violation
from chassis.instants import instant
from chassis.kst import KST

LONGEST = timedelta(days=5 * 365 + 2)


class Lifetime(NamedTuple):
    """When the token ends; None where nothing ends it by time.

    ``own``: a time or a single use was asked for, so the token is one of its own, shared with no other request.
    """

    expires_at: datetime | None
    one_time: bool
    own: bool


def lifetime(item: api.TokenizeItem | api.TokenizeRequest, last_day: date | None, now: datetime) -> Lifetime:
    """Return the lifetime that the item asks for, within its card's.

    ``last_day``: the Korean day on which the instrument may be used for the last time. Raises InvalidField:
    ``in_the_past``, ``too_far`` (more than five years), ``timestamp``.
    """
    asked = instant(item.expires_at, "expires_at") if item.HasField("expires_at") else None
    if asked is not None and asked <= now:
        raise InvalidField([Violation("expires_at", "in_the_past")])
    if asked is not None and asked > now + LONGEST:
        raise InvalidField([Violation("expires_at", "too_far")])
    ends = [moment for moment in (asked, _end_of(last_day) if last_day else None) if moment is not None]
    return Lifetime(min(ends, default=None), item.one_time, asked is not None or item.one_time)


@lru_cache(maxsize=1024)
def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), KST).astimezone(UTC)
