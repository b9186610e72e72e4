"""By which calendar something ends that was collected under an earlier version (제21조, GV-02)."""

from datetime import date

import pytest

from chassis.policy.calendars import Calendars
from tests.unit.policy_periods import PERIODS, SINCE, after

CALENDARS = Calendars(after(PERIODS))
BEFORE, TODAY = date(2026, 2, 28), date(2026, 11, 24)
CLOSED = date(2026, 2, 1)


@pytest.mark.parametrize(
    ("category", "under", "end"),
    [
        ("R-05", "1", date(2029, 2, 1)),
        ("R-05", "2", date(2030, 2, 1)),
        ("R-08", "1", date(2028, 2, 1)),
        ("R-08", "2", date(2028, 2, 1)),
    ],
)
def test_a_longer_period_is_for_new_records_a_shorter_one_for_all(category: str, under: str, end: date) -> None:
    """R-05 goes from 3 years to 4, R-08 from 3 to 2: an event of the same day ends by the version it was collected under."""
    assert CALENDARS.of(under, TODAY).end(category, CLOSED) == end


def test_until_its_day_a_version_changes_nothing() -> None:
    """The day before it is in force, both categories end by the version that is."""
    for category in ("R-05", "R-08"):
        assert CALENDARS.of("1", BEFORE).end(category, CLOSED) == date(2029, 2, 1)
        assert CALENDARS.in_force(BEFORE).end(category, CLOSED) == date(2029, 2, 1)
    assert CALENDARS.in_force(SINCE).end("R-05", CLOSED) == date(2030, 2, 1)


def test_what_pins_no_version_that_is_known_ends_by_the_one_in_force() -> None:
    """The vault tells of tokens without a version, and a holder may run on files that this process does not have yet."""
    for under in ("", "17"):
        assert CALENDARS.of(under, TODAY) is CALENDARS.in_force(TODAY)


def test_a_category_that_did_not_change_ends_alike_under_every_version() -> None:
    """R-09b: five years by law, whichever version (전상법 시행령 제6조)."""
    assert CALENDARS.versions == ("1", "2")
    for under in CALENDARS.versions:
        assert CALENDARS.of(under, TODAY).end("R-09b", date(2026, 5, 10)) == date(2031, 5, 10)
