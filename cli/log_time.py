"""Times as an operator types them, in Korean time unless they say otherwise."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from cli.failures import UsageError
from cli.printable import KST

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str | None, now: datetime | None = None, *, past: bool = True) -> Timestamp | None:
    """`2026-01-02` (midnight in Korea), `2026-01-02T15:04`, any ISO 8601 time, or `30m`, `2h`, `7d` before now.

    None for None; `past=False` takes no time that is told from now. Raises UsageError.
    """
    if text is None:
        return None
    ago = _AGO.fullmatch(text) if past else None
    try:
        if ago:
            parsed = (now or datetime.now(UTC)) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            parsed = datetime.fromisoformat(text)
            parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=KST)
        result = Timestamp()
        result.FromDatetime(parsed.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        forms = "2026-01-02, 2026-01-02T15:04, 30m, 2h or 7d" if past else "2027-01-02 or 2027-01-02T15:04"
        raise UsageError(f"a time is like {forms}") from error
    return result
