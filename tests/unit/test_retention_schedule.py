"""When the daily plan is due: cron in Korean time."""

from datetime import UTC, datetime

import pytest

from chassis.kst import KST
from services.retention.schedule import latest_tick

DAILY = "10 0 * * *"


@pytest.mark.parametrize(
    ("now", "tick"),
    [
        (datetime(2026, 11, 24, 0, 9, 59, 999_999, KST), datetime(2026, 11, 23, 0, 10, tzinfo=KST)),
        (datetime(2026, 11, 24, 0, 10, 0, 0, KST), datetime(2026, 11, 24, 0, 10, tzinfo=KST)),
        (datetime(2026, 11, 24, 0, 10, 0, 1, KST), datetime(2026, 11, 24, 0, 10, tzinfo=KST)),
        (datetime(2026, 11, 24, 23, 59, 59, 0, KST), datetime(2026, 11, 24, 0, 10, tzinfo=KST)),
        # 15:09 and 15:10 UTC are before and at ten past midnight of the next day in Seoul.
        (datetime(2026, 11, 23, 15, 9, 0, 0, UTC), datetime(2026, 11, 23, 0, 10, tzinfo=KST)),
        (datetime(2026, 11, 23, 15, 10, 0, 0, UTC), datetime(2026, 11, 24, 0, 10, tzinfo=KST)),
        (datetime(2027, 1, 1, 0, 5, 0, 0, KST), datetime(2026, 12, 31, 0, 10, tzinfo=KST)),
    ],
)
def test_the_day_begins_ten_past_midnight_in_seoul(now: datetime, tick: datetime) -> None:
    """Whatever zone the clock has, and to the microsecond (LC-01)."""
    assert tick == latest_tick(DAILY, now)


def test_other_expressions_are_read_in_korean_time_too() -> None:
    """Mondays at three: the tick of a Wednesday is the Monday before."""
    assert datetime(2026, 11, 23, 3, tzinfo=KST) == latest_tick("0 3 * * 1", datetime(2026, 11, 25, 12, tzinfo=KST))


def test_an_expression_may_name_no_day_for_long() -> None:
    """29 February is found years back."""
    assert datetime(2024, 2, 29, tzinfo=KST) == latest_tick("0 0 29 2 *", datetime(2026, 11, 25, tzinfo=KST))
