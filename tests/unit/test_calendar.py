"""The Civil Act's ends of periods, and the query that finds what is due."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.kst import KST, event_date
from chassis.policy.calendar import due, due_at_once, last_day
from chassis.policy.duration import Period

DAY = timedelta(days=1)

# Event, period, last day kept by the Civil Act, and what adding the period to the event would give.
VECTORS = [
    (date(2026, 11, 24), "5 years", date(2031, 11, 24), date(2031, 11, 24)),
    (date(2024, 2, 29), "5 years", date(2029, 2, 28), date(2029, 2, 28)),
    (date(2023, 2, 28), "1 year", date(2024, 2, 29), date(2024, 2, 28)),
    (date(2024, 2, 29), "3 months", date(2024, 5, 31), date(2024, 5, 29)),
    (date(2025, 4, 30), "1 month", date(2025, 5, 31), date(2025, 5, 30)),
    (date(2024, 1, 30), "1 month", date(2024, 2, 29), date(2024, 2, 29)),
    (date(2024, 1, 31), "1 month", date(2024, 2, 29), date(2024, 2, 29)),
    (date(2024, 11, 30), "3 months", date(2025, 2, 28), date(2025, 2, 28)),
    (date(2027, 3, 31), "5 years", date(2032, 3, 31), date(2032, 3, 31)),
    # The overlap case: withdrawn 2026-11-24, last paid 2026-05-10; guideline of five days, one year, five years.
    (date(2026, 11, 24), "5 days", date(2026, 11, 29), date(2026, 11, 29)),
    (date(2026, 11, 24), "1 year", date(2027, 11, 24), date(2027, 11, 24)),
    (date(2026, 5, 10), "5 years", date(2031, 5, 10), date(2031, 5, 10)),
]
PERIODS = ["1 month", "3 months", "6 months", "1 year", "3 years", "5 years"]
EVERY_DAY = [date(2020, 1, 1) + n * DAY for n in range((date(2041, 1, 1) - date(2020, 1, 1)).days)]

days = st.dates(date(1970, 1, 1), date(2200, 12, 31))
periods = st.builds(Period, st.integers(0, 20), st.integers(0, 40), st.integers(1, 400))


def naive_end(event: date, period: Period) -> date:
    """The event moved by the period and cut to the month's length, as date libraries add months."""
    year, month = divmod(12 * event.year + event.month - 1 + period.total_months, 12)
    return date(year, month + 1, min(event.day, monthrange(year, month + 1)[1])) + timedelta(days=period.days)


@pytest.mark.parametrize(("event", "period", "end", "_naive"), VECTORS)
def test_a_period_ends_as_the_civil_act_says(event: date, period: str, end: date, _naive: date) -> None:
    """LC-11: the first day does not count, the end is the day before the corresponding day, or the month's last."""
    assert end == last_day(event, Period.parse(period))


def test_adding_months_to_the_event_ends_three_of_the_vectors_too_early() -> None:
    """LC-11: the naive sum is what the vectors say it is, and destroys early in exactly three of them."""
    naive = [naive_end(event, Period.parse(period)) for event, period, _, _ in VECTORS]

    assert [expected for _, _, _, expected in VECTORS] == naive
    assert 3 == sum(sum_ < end for sum_, (_, _, end, _) in zip(naive, VECTORS, strict=True))


@pytest.mark.parametrize("text", PERIODS)
def test_due_is_the_exact_inverse_on_every_day_of_twenty_one_years(text: str) -> None:
    """LC-01: nothing is due on its last day kept, everything is the day after, and no earlier event is still kept."""
    period = Period.parse(text)
    previous = date.min
    for today in EVERY_DAY:
        latest = due(period, today)

        assert last_day(latest, period) < today <= last_day(latest + DAY, period)
        assert previous <= latest
        previous = latest


@pytest.mark.parametrize("text", PERIODS)
def test_the_last_day_never_goes_back(text: str) -> None:
    """A later event never ends before an earlier one: so one date per category tells all that is due."""
    ends = [last_day(event, Period.parse(text)) for event in EVERY_DAY]

    assert sorted(ends) == ends


@pytest.mark.parametrize("text", PERIODS)
def test_every_event_becomes_due_the_day_after_its_last_day(text: str) -> None:
    """LC-01: kept at 23:59:59 KST of the last day, due at the next run after 00:00."""
    period = Period.parse(text)
    for event in EVERY_DAY:
        end = last_day(event, period)

        assert due(period, end) < event <= due(period, end + DAY)


@given(periods, days)
def test_due_is_the_exact_inverse_for_mixed_units(period: Period, today: date) -> None:
    """The inverse holds for years, months and days together, not only for the periods in use."""
    latest = due(period, today)

    assert last_day(latest, period) < today <= last_day(latest + DAY, period)


@given(periods, days)
def test_the_civil_act_never_ends_before_the_naive_sum(period: Period, event: date) -> None:
    """LC-11: the rule of the law keeps as long as the plain sum or up to three days longer, never shorter."""
    assert timedelta(0) <= last_day(event, period) - naive_end(event, period) <= 3 * DAY


def test_what_is_kept_no_longer_than_its_event_is_due_today() -> None:
    """R-01, R-03: on withdrawal there is no period; an event of today is due today."""
    assert date(2026, 11, 24) == due_at_once(date(2026, 11, 24))


def test_the_day_of_an_event_is_korean() -> None:
    """LC-11: half past three in the afternoon UTC is already the next day in Korea."""
    assert date(2025, 1, 1) == event_date(datetime(2024, 12, 31, 15, 30, tzinfo=UTC))
    assert date(2024, 12, 31) == event_date(datetime(2024, 12, 31, 23, 59, 59, tzinfo=KST))
    assert date(2025, 1, 1) == event_date(datetime(2024, 12, 31, 15, 0, tzinfo=UTC))


def test_an_instant_without_a_time_zone_has_no_day() -> None:
    """A naive datetime is refused, and an instant is not taken for a day."""
    with pytest.raises(ValueError, match="time zone"):
        event_date(datetime.fromisoformat("2024-12-31T15:30"))
    with pytest.raises(TypeError, match="event_date"):
        last_day(datetime(2024, 12, 31, 15, 30, tzinfo=UTC), Period(months=1))
    with pytest.raises(TypeError, match="event_date"):
        due(Period(months=1), datetime(2024, 12, 31, 15, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("3 months", Period(months=3)),
        ("1 month", Period(months=1)),
        ("5 years", Period(years=5)),
        ("1 year 6 months", Period(years=1, months=6)),
        ("35 days", Period(days=35)),
    ],
)
def test_a_period_is_read_from_the_policy(text: str, period: Period) -> None:
    """A policy writes periods in words, in calendar units."""
    assert period == Period.parse(text)


@pytest.mark.parametrize(
    "text", ["", "0 months", "3", "3 weeks", "-1 year", "3  months", "1 month 2 months", "3 months!"]
)
def test_anything_else_is_no_period(text: str) -> None:
    """A period that is not understood stops the policy from loading; it never becomes a default."""
    with pytest.raises(ValueError, match="period"):
        Period.parse(text)


def test_a_period_has_a_positive_length() -> None:
    """No length and negative units are refused also when made directly."""
    with pytest.raises(ValueError, match="positive"):
        Period()
    with pytest.raises(ValueError, match="positive"):
        Period(years=1, months=-1)
