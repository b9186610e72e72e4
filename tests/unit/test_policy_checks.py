"""What a well-formed policy can still have wrong: each contradiction is refused, by file, key and reason."""

import pytest

from chassis.policy.checks_schedule import SCHEDULE
from chassis.policy.length import length
from chassis.policy.privacy_policy import FILES
from tests.unit.policy_contradictions import CONTRADICTIONS
from tests.unit.policy_documents import DOCUMENTS, having, refused, told, without

RETENTION, PURPOSES = FILES["retention"], FILES["purposes"]


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_refused(case: str) -> None:
    """Each of these policies is well-formed and wrong; the fault names the file, the key and what is wrong with it."""
    part, path, value, fault = CONTRADICTIONS[case]
    where, _, reason = fault.partition("…")

    lines = told(part, path, value)
    assert any(line.startswith(where) and reason in line for line in lines), lines


@pytest.mark.parametrize("category", SCHEDULE)
def test_no_row_of_the_schedule_can_be_left_out(category: str) -> None:
    """R-01 to R-28 are all there, if only as a gap (LC-09)."""
    assert "is missing" in refused(without("retention", ("categories", category)))[RETENTION, f"categories.{category}"]


def test_the_schedule_has_thirty_one_rows() -> None:
    """R-01 to R-28, the ninth in four parts."""
    assert len(SCHEDULE) == len(set(SCHEDULE)) == 31
    assert set(SCHEDULE) == set(DOCUMENTS["retention"]["categories"])


def test_both_ends_of_a_broken_reference_are_told() -> None:
    """A consent that is gone is told where it stood and where it is named: either can be the mistake."""
    found = refused(without("purposes", ("consents", "inquiry_retention")))

    assert "R-05.consent" in found[PURPOSES, "consents.inquiry_retention"]
    assert "does not have" in found[RETENTION, "categories.R-05.consent"]


def test_the_owner_may_keep_the_processing_log_one_year() -> None:
    """R-13: a year is the statute's, and two where unique identifiers are stored; the owner's settings agree (LG-03)."""
    a_year = having("settings", ("processing_log_years", "value"), 1)

    assert "unique_identifiers_stored" in refused(a_year)[FILES["settings"], "processing_log_years.value"]
    assert refused(having("settings", ("unique_identifiers_stored", "value"), False, a_year)) == {}


def test_a_broken_reference_is_told_once_at_each_end() -> None:
    """One mistake is two lines, not one for each check that stumbles over it."""
    lines = told("collection", ("groups", "card", "heading"), "cards")

    assert sorted(line.partition(": ")[2].partition(": ")[0] for line in lines) == [
        "groups.card.heading",
        "headings.cards",
    ]


def test_a_statute_that_changes_takes_the_period_with_it() -> None:
    """When a law gets longer, both keys change; neither alone is accepted (rule 6 of the schedule)."""
    longer = having("retention", ("categories", "R-12", "statute"), "6 months")

    assert "shorter than the statute" in refused(longer)[RETENTION, "categories.R-12.period"]
    assert refused(having("retention", ("categories", "R-12", "period"), "6 months", longer)) == {}


def test_periods_compare_by_length() -> None:
    """At once is the shortest, open the longest, and a month is neither 30 nor 31 days for sure."""
    periods = [
        "at once",
        "30 days",
        "1 month",
        "31 days",
        "35 days",
        "3 months",
        "1 year",
        "13 months",
        "2 years",
        "open",
    ]

    assert sorted(sorted(periods), key=length) == periods
    assert length("12 months") == length("1 year")
