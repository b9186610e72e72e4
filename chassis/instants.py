"""Timestamps of the contract as datetimes: the contract's type can hold what no calendar has."""

from datetime import UTC, datetime
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import InvalidField, Violation


def instant(stamp: Timestamp, field: str) -> datetime:
    """Return the instant in UTC. Raises InvalidField, naming the field, for one outside of the years 1 to 9999."""
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidField([Violation(field, "timestamp")]) from None


@lru_cache(maxsize=256)
def timestamp(moment: datetime) -> Timestamp:
    """Return the contract's form of an aware datetime; to be read only, since calls of one flush share it."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
