"""What is planned of the policy's rows: at which holder, up to which day, and what goes with what."""

from datetime import date
from pathlib import Path

import pytest

from chassis.policy.calendars import Calendars
from chassis.policy.load import load, of_documents, read
from services.retention.categories import FOLLOWS, Categories, Due
from services.retention.refusals import CategoryUnknown
from tests.unit.policy_periods import PERIODS, after

ROOT = Path(__file__).parents[2]
POLICY = load(ROOT / "policy")
CATEGORIES = Categories(Calendars(POLICY))
TODAY = date(2026, 11, 24)


def names(*asked: str) -> list[str]:
    """Names of the categories that are planned for those asked for, each once."""
    return list(dict.fromkeys(due.category for due in CATEGORIES.chosen(asked, TODAY)))


def through(name: str, day: date = TODAY) -> date:
    """The latest event date that is due."""
    return CATEGORIES.chosen([name], day)[0].through


def test_what_has_no_period_is_due_today() -> None:
    """Member data and payment means end with the membership, at once (R-01, R-03)."""
    assert TODAY == through("R-01") == through("R-03")


def test_login_records_are_due_after_three_months() -> None:
    """The day's own end is still kept: an event of 24 August lasts to 24 November (R-12)."""
    assert date(2026, 8, 23) == through("R-12")


def test_payments_are_due_after_five_years_and_proofs_after_the_filing_deadline() -> None:
    """A payment of 2026-05-10 is due by R-09b on 2031-05-11, and by R-10 not before 2032-04-01 (R-09b, R-10)."""
    payment = date(2026, 5, 10)
    assert payment == through("R-09b", date(2031, 5, 11))
    assert through("R-10", date(2032, 3, 31)) < payment <= through("R-10", date(2032, 4, 1))


def test_nothing_named_is_everything_that_somebody_holds() -> None:
    """A plan without categories is for all that are held and in force, R-01 first and R-03 after it (LC-07)."""
    held = [name for name, row in POLICY.retention.categories.items() if row.holders and not row.requires]
    assert held == names()
    assert ["R-01", "R-03"] == names()[:2]


def test_each_holder_of_a_category_is_asked() -> None:
    """What has moved to the archive is due there by the same day (LC-05)."""
    assert [Due("R-09b", "identity", date(2021, 11, 23)), Due("R-09b", "archive", date(2021, 11, 23))] == (
        CATEGORIES.chosen(["R-09b"], TODAY)
    )


def test_what_a_hold_has_left_over_is_asked_for_under_its_own_category() -> None:
    """LC-13, R-01, R-20: last, at the archive, and by no date, since it was over when it came."""
    assert [Due("R-20", "identity", TODAY), Due("R-20", "archive", TODAY, left_over=True)] == CATEGORIES.chosen(
        ["R-20"], TODAY
    )
    assert ["identity", "payment_vault", "archive"] == [due.holder for due in CATEGORIES.chosen(["R-01"], TODAY)]


@pytest.mark.parametrize("asked", ["R-01", "R-03"])
def test_members_and_their_tokens_are_planned_together(asked: str) -> None:
    """Once the members are gone nobody would know whose tokens are due (R-01, R-03)."""
    assert ["R-01", "R-03"] == names(asked)
    assert ["R-12"] == names("R-12")


@pytest.mark.parametrize("unplanned", ["R-99", "R-02", "R-13", "R-25", "R-27"])
def test_what_is_not_planned_is_refused(unplanned: str) -> None:
    """No row, nobody who holds it, or not in force for this owner; the error names the field and no value."""
    with pytest.raises(CategoryUnknown) as caught:
        CATEGORIES.chosen(["R-01", unplanned], TODAY)
    assert ["categories"] == [violation.field for violation in caught.value.violations]


def test_a_setting_of_the_owner_puts_a_category_in_force() -> None:
    """Who is a user of credit information has R-25 planned at both holders, with no change of code (R-25)."""
    documents = read(ROOT / "policy")
    documents["settings"]["credit_information_user"]["value"] = True
    due = Categories(Calendars(of_documents(documents))).chosen(["R-25"], TODAY)
    assert [Due("R-25", holder, date(2021, 11, 23)) for holder in ("identity", "archive")] == due


def test_who_follows_comes_after_its_leader() -> None:
    """What follows another is held by one holder and planned after it, and the leader's holder is one too."""
    order = names()
    for follower, leader in FOLLOWS.items():
        assert order.index(leader) < order.index(follower)
        assert 1 == len(CATEGORIES[leader].holders) == len(CATEGORIES[follower].holders)


def test_one_date_is_for_all_while_no_version_has_another() -> None:
    """With the first version alone, plans are as they ever were: one cut-off a category (GV-02)."""
    assert [] == [due for due in CATEGORIES.chosen([], TODAY) if due.by_version]


def test_a_longer_period_leaves_earlier_versions_their_own_date() -> None:
    """R-05 is 4 years since version 2: what was collected under version 1 is due after 3 all the same, at every holder."""
    categories = Categories(Calendars(after(PERIODS)))
    by_version = {"1": date(2023, 11, 23)}
    assert [
        Due("R-05", "identity", date(2022, 11, 23), by_version),
        Due("R-05", "archive", date(2022, 11, 23), by_version),
    ] == categories.chosen(["R-05"], TODAY)
    assert {"R-05", "R-15", "R-22"} == {due.category for due in categories.chosen([], TODAY) if due.by_version}


def test_a_shorter_period_is_one_date_for_all() -> None:
    """R-08 is 2 years since version 2, for what was collected before it too."""
    assert {(date(2024, 11, 23), ())} == {
        (due.through, tuple(due.by_version)) for due in Categories(Calendars(after(PERIODS))).chosen(["R-08"], TODAY)
    }


def test_what_is_announced_has_its_date_already_and_moves_none_that_holds() -> None:
    """R-05: before its day version 2 lengthens nothing, and nothing collected under it is due by the shorter period."""
    [due, _] = Categories(Calendars(after(PERIODS, date(2027, 1, 1)))).chosen(["R-05"], TODAY)
    assert (date(2023, 11, 23), {"2": date(2022, 11, 23)}) == (due.through, due.by_version)


def test_members_and_their_tokens_have_one_date() -> None:
    """Who follows knows no version, so neither does its leader: the one in force is for all (R-01, R-03)."""
    found = Categories(Calendars(after({"R-01": "1 month", "R-03": "1 month"}))).chosen(["R-01"], TODAY)
    assert [(date(2026, 10, 23), {})] * 2 == [(due.through, due.by_version) for due in found if not due.left_over]
