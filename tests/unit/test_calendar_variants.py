"""Categories whose period depends on a fact about the owner, and those that no date alone can tell the end of."""

from datetime import UTC, date, datetime

import pytest

from chassis.policy.calendar import Calendar, period_in_force
from tests.unit.calendar_schedule import CATEGORIES, OWNER, calendar

DAY = date(2026, 11, 24)


def test_an_auxiliary_keeps_three_years() -> None:
    """R-11: 전자금융거래법 시행령 제12조 gives auxiliaries (전자금융보조업자) three years, all others five."""
    auxiliary = calendar(electronic_finance_role="auxiliary")

    assert date(2029, 11, 24) == auxiliary.end("R-11", DAY)
    assert "3 years" == period_in_force(
        CATEGORIES["R-11"], OWNER.model_copy(update={"electronic_finance_role": "auxiliary"})
    )
    for role in ("financial_institution", "business"):
        assert date(2031, 11, 24) == calendar(electronic_finance_role=role).end("R-11", DAY)


def test_a_fact_that_is_no_text_is_read_as_the_policy_writes_it() -> None:
    """R-13, R-25: a period may hang on a number or on yes and no, under the keys "1" and "true"."""
    accesses = CATEGORIES["R-13"].model_copy(update={"when": {"processing_log_years": {"1": "1 year"}}})
    credit = CATEGORIES["R-09b"].model_copy(update={"when": {"credit_information_user": {"true": "4 years"}}})
    facts = OWNER.model_copy(update={"processing_log_years": 1, "credit_information_user": True})

    assert "1 year" == period_in_force(accesses, facts)
    assert "2 years" == period_in_force(accesses, OWNER)
    assert "4 years" == period_in_force(credit, facts)
    assert "5 years" == period_in_force(credit, OWNER)


def test_credit_information_has_a_maximum_only_for_its_users() -> None:
    """R-25, SE-05: who neither provides nor uses credit information has no maximum, and nothing due under it."""
    user = calendar(credit_information_user=True)

    assert date(2031, 11, 24) == user.end("R-25", DAY)
    assert date(2021, 11, 23) == user.due("R-25", DAY)
    assert calendar().end("R-25", DAY) is None
    assert calendar().due("R-25", DAY) is None
    assert period_in_force(CATEGORIES["R-25"], OWNER) is None


@pytest.mark.parametrize("name", ["R-27", "R-28"])
def test_an_open_period_has_no_end_of_its_own(name: str) -> None:
    """R-27, R-28: two events together end it, so no date tells what is due."""
    assert calendar().end(name, DAY) is None
    assert calendar().due(name, DAY) is None


def test_a_start_that_is_no_single_date_makes_nothing_due() -> None:
    """A period may be long; where its start is not one date, `due` cannot say which events it has passed for."""
    payment = CATEGORIES["R-09b"]
    start = payment.start.model_copy(update={"dated": False})
    undated = Calendar(OWNER, {"R-09b": payment.model_copy(update={"start": start})})

    assert date(2031, 11, 24) == undated.end("R-09b", DAY)
    assert undated.due("R-09b", DAY) is None


@pytest.mark.parametrize("name", ["R-01", "R-02", "R-03", "R-19", "R-20", "R-21"])
def test_at_once_ends_with_the_day_before_the_event(name: str) -> None:
    """R-01, R-03, R-19 to R-21: what ends with its event is due on the event's own day (법 제21조)."""
    assert date(2026, 11, 23) == calendar().end(name, DAY)
    assert calendar().due(name, DAY) == DAY


def test_a_category_that_the_schedule_does_not_have_is_no_category() -> None:
    """An unknown id never has a default period."""
    with pytest.raises(KeyError):
        calendar().end("R-99", DAY)
    with pytest.raises(KeyError):
        calendar().due("R-99", DAY)


def test_an_instant_is_no_day() -> None:
    """LC-11: an instant's day is a Korean one, and whoever asks must have turned it into that."""
    instant = datetime(2024, 12, 31, 15, 30, tzinfo=UTC)
    for name in ("R-01", "R-09b", "R-10", "R-27"):
        with pytest.raises(TypeError, match="event_date"):
            calendar().end(name, instant)
        with pytest.raises(TypeError, match="event_date"):
            calendar().due(name, instant)
