"""Timestamps of the contract as datetimes: the contract's type can hold what no calendar has."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import InvalidField, Violation


def instant(stamp: Timestamp, field: str) -> datetime:
    """Return the instant in UTC. Raises InvalidField, naming the field, for one outside of the years 1 to 9999."""
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidField([Violation(field, "timestamp")]) from None


def timestamp(moment: datetime) -> Timestamp:
    """Return the contract's form of an aware datetime."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
