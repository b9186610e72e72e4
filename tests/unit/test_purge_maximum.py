"""On which days a record is in conflict: a law keeps it, and another law's maximum is over (신용정보법 제20조의2)."""

from datetime import date

import pytest

from services.identity.purge_maximum import is_conflict
from services.identity.record_bases import RecordBasis
from tests.unit.calendar_schedule import calendar

PAID, LEFT = date(2026, 5, 10), date(2026, 11, 24)
MAXIMUM = RecordBasis("R-25", LEFT)
TAX, SUPPLY, MISUSE = RecordBasis("R-10", PAID), RecordBasis("R-09b", PAID), RecordBasis("R-04", LEFT)


@pytest.mark.parametrize(("day", "expected"), [
    (date(2031, 11, 25), True), (date(2032, 3, 31), True), (date(2032, 4, 1), False),
])  # fmt: skip
def test_a_record_is_in_conflict_as_long_as_a_law_keeps_it(day: date, expected: bool) -> None:
    """R-10, R-25: to 2032-03-31 and no day longer, however long its row waits for its destruction."""
    assert expected == is_conflict(calendar(credit_information_user=True), [MAXIMUM, TAX, SUPPLY], day)


@pytest.mark.parametrize("other", [SUPPLY, MISUSE, RecordBasis("R-99", LEFT)])
def test_what_no_law_keeps_beyond_the_maximum_is_in_no_conflict(other: RecordBasis) -> None:
    """R-25: a minimum that ends before it, a consent, and a basis of which the policy knows no period."""
    assert not is_conflict(calendar(credit_information_user=True), [MAXIMUM, other], date(2031, 11, 25))


def test_a_maximum_that_is_not_in_force_contradicts_nothing() -> None:
    """R-25: a person has decided that it does not apply; the row of it that a record has says nothing any more."""
    assert not is_conflict(calendar(), [MAXIMUM, TAX], date(2031, 11, 25))
