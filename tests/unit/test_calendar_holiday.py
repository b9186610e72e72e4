"""Periods that would end on a Saturday or a holiday, where the owner applies the article."""

from datetime import date, timedelta

import pytest

from chassis.policy import holiday
from tests.unit.calendar_schedule import calendar

# The end without the article, and the next working day.
MOVED = [
    (date(2026, 11, 24), date(2026, 11, 24)),  # a Tuesday
    (date(2026, 11, 28), date(2026, 11, 30)),  # a Saturday
    (date(2026, 11, 29), date(2026, 11, 30)),  # a Sunday
    (date(2025, 10, 3), date(2025, 10, 10)),  # 개천절, a Saturday, 추석 with its substitute, 한글날: seven days
    (date(2026, 2, 14), date(2026, 2, 19)),  # a weekend, then 설날
    (date(2026, 3, 1), date(2026, 3, 3)),  # 삼일절 on a Sunday: Monday is its substitute
    (date(2025, 1, 27), date(2025, 1, 31)),  # a temporary holiday (임시공휴일) before 설날
    (date(2026, 6, 3), date(2026, 6, 4)),  # local elections
    (date(2026, 12, 25), date(2026, 12, 28)),  # Christmas, a Friday
    (date(2024, 12, 31), date(2024, 12, 31)),  # New Year's Eve is a working day
    (date(2025, 1, 1), date(2025, 1, 2)),
]


@pytest.mark.parametrize(("end", "moved"), MOVED)
def test_an_end_on_a_holiday_moves_to_the_next_working_day(end: date, moved: date) -> None:
    """LC-11: 민법 제161조 with the public holidays, their substitutes and the temporary ones."""
    assert moved == holiday.on_or_after(end)


def test_the_article_is_off_until_counsel_says_so() -> None:
    """LC-11, R-09b: 2031-05-10 is a Saturday; the payment of 2026-05-10 ends that day, or with the article on Monday."""
    rolling = calendar(apply_civil_act_161=True)

    assert date(2031, 5, 10) == calendar().end("R-09b", date(2026, 5, 10))
    assert date(2031, 5, 12) == rolling.end("R-09b", date(2026, 5, 10))
    # Those of 9 May ended on Friday; the weekend's, 10 and 11 May, go together with Monday's, on Tuesday.
    assert date(2026, 5, 9) == rolling.due("R-09b", date(2031, 5, 10))
    assert date(2026, 5, 9) == rolling.due("R-09b", date(2031, 5, 12))
    assert date(2026, 5, 12) == rolling.due("R-09b", date(2031, 5, 13))


def test_what_ends_at_once_waits_for_no_working_day() -> None:
    """R-01, R-03: no period runs after a withdrawal, so none can end on a Sunday."""
    sunday = date(2026, 11, 29)

    assert sunday == calendar(apply_civil_act_161=True).due("R-01", sunday)


@pytest.mark.parametrize("year", [1947, 2101])
def test_beyond_the_known_years_only_weekends_rest(year: int) -> None:
    """The holidays are known for 1948 to 2100; outside nothing is guessed."""
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]

    assert all((day.weekday() >= 5) == holiday.rests(day) for day in days)


@pytest.mark.parametrize("year", [1948, 2100])
def test_the_known_years_have_holidays(year: int) -> None:
    """1 March is a holiday in the first and in the last of the known years."""
    day = date(year, 3, 1)

    assert day.weekday() < 5
    assert holiday.rests(day)
