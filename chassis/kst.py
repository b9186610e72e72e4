"""Korean days: the law counts in them, whatever the clocks of the machines say."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")


def event_date(instant: datetime) -> date:
    """Return the Korean day on which an instant falls. Raises ValueError for a naive datetime, whose day nobody knows."""
    if instant.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(KST).date()


def today() -> date:
    """Return the Korean day that it is now."""
    return event_date(datetime.now(UTC))
