"""What is told of what is kept: the policy's words and ends for each basis, in the order in which it goes."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from onggi.purge.v1.purge_service_pb2 import Kept
from onggi.retention.v1.kept_item_pb2 import KeptItem

from chassis.errors import PolicyIncomplete
from chassis.policy.calendars import Calendars
from chassis.policy.load import load, of_documents, read
from services.retention.categories import Categories
from services.retention.explanation import Told, explained

ROOT = Path(__file__).parents[2]
POLICY = load(ROOT / "policy")
CALENDARS = Calendars(POLICY)
LEFT = date(2026, 11, 24)
PAYMENT = "0b3f4e9e-3c1f-4a53-9c3b-5a0d8a1b2c3d"
MISUSE = "1b3f4e9e-3c1f-4a53-9c3b-5a0d8a1b2c3d"


def kept(category: str, event: str = "", *, kind: str = "payment", record: str = PAYMENT, **more: Any) -> Kept:
    """One basis as a holder tells it."""
    return Kept(kind=kind, record_id=record, category=category, event_date=event, **{"policy_version": "1", **more})


def explain(
    *bases: Kept, holder: str = "archive", today: date = LEFT, calendars: Calendars = CALENDARS
) -> list[KeptItem]:
    """What is told of the bases of one holder."""
    return [line.item for line in explained([Told(holder, each) for each in bases], calendars, today)]


def ends(items: list[KeptItem]) -> Mapping[str, str]:
    """The last day kept, by category."""
    return {item.category: item.last_day for item in items}


def test_an_item_has_the_policys_words() -> None:
    """Name, kind of basis, article and start event are those of the policy's row (LC-09, DS-01)."""
    [item] = explain(kept("R-10", "2026-05-10", items=["amount", "approval_number"]))
    row = POLICY.retention.categories["R-10"]
    assert KeptItem(
        holder="archive", kind="payment", record_id=PAYMENT, category="R-10", korean=row.korean, basis="LAW_MIN",
        article=row.law, start_event=row.start.korean, event_date="2026-05-10", last_day="2032-03-31",
        items=["amount", "approval_number"], policy_version="1",
    ) == item  # fmt: skip


def test_a_hold_stands_beside_the_bases_and_has_no_end() -> None:
    """LC-13: the bases keep their own ends; what the register does not have of a hold is left empty, and the hold told."""
    held = kept("", "2026-11-24", items=["amount"], hold_id=MISUSE)
    law, hold = explain(held, kept("R-10", "2026-05-10"), today=date(2033, 1, 1))

    assert ("R-10", "2032-03-31", True, False) == (law.category, law.last_day, law.ended, law.conflict)
    assert KeptItem(
        holder="archive", kind="payment", record_id=PAYMENT, korean="보존 조치", basis="HOLD", start_event="보존 조치일",
        event_date="2026-11-24", items=["amount"], policy_version="1",
    ) == hold  # fmt: skip


def test_each_basis_of_a_payment_has_its_own_end() -> None:
    """A member leaves on 2026-11-24, its last payment was on 2026-05-10, its books close in December (LC-10, LC-11).

    R-09b and R-11: five years from the payment. R-10: from the filing deadline of the year 2026, 2027-03-31. R-04: one
    year from the withdrawal, by consent.
    """
    items = explain(
        kept("R-10", "2026-05-10"),
        kept("R-09b", "2026-05-10"),
        kept("R-11", "2026-05-10"),
        kept("R-04", "2026-11-24", kind="misuse", record=MISUSE),
    )
    expected = {"R-04": "2027-11-24", "R-09b": "2031-05-10", "R-11": "2031-05-10", "R-10": "2032-03-31"}
    assert expected == ends(items)
    assert list(expected) == [item.category for item in items]
    assert not any(item.ended or item.conflict for item in items)


@pytest.mark.parametrize(("today", "ended"), [(date(2031, 5, 10), set()), (date(2031, 5, 11), {"R-09b", "R-11"})])
def test_a_basis_has_ended_the_day_after_its_last(today: date, ended: set[str]) -> None:
    """On the last day it still keeps; from 00:00 of the next the purge takes what only it kept (LC-01)."""
    items = explain(kept("R-09b", "2026-05-10"), kept("R-10", "2026-05-10"), kept("R-11", "2026-05-10"), today=today)
    assert ended == {item.category for item in items if item.ended}


def test_what_is_due_at_once_was_kept_to_the_day_before() -> None:
    """The day of the withdrawal itself is not one on which member data may be kept (R-01, 법 제21조 제1항)."""
    [item] = explain(kept("R-01", "2026-11-24", kind="member"))
    assert ("2026-11-23", True) == (item.last_day, item.ended)


def test_a_withdrawn_consent_ends_its_basis_at_once_and_no_law() -> None:
    """The inquiry goes, the complaint under the same record stays its three years (LC-12, R-05, R-09c)."""
    items = explain(
        kept("R-05", "2026-11-01", kind="inquiry", ended_on="2026-11-24"),
        kept("R-09c", "2026-11-01", kind="inquiry", ended_on="2026-11-24"),
    )
    assert [("R-05", "2026-11-23", True), ("R-09c", "2029-11-01", False)] == [
        (item.category, item.last_day, item.ended) for item in items
    ]


def test_an_event_that_has_not_come_has_no_end_and_stands_last() -> None:
    """Nothing is guessed: no date, no last day, not ended (LC-01)."""
    items = explain(kept("R-09a", kind="contract"), kept("R-09b", "2026-05-10"))
    assert [("R-09b", "2031-05-10"), ("R-09a", "")] == [(item.category, item.last_day) for item in items]
    assert not items[-1].ended


def test_the_vault_is_told_when_the_member_left() -> None:
    """It knows whose tokens it has; identity knows the date, and the tokens follow the member (R-01, R-03)."""
    token = Told("payment_vault", kept("R-03", kind="token", record="", policy_version=""))
    living = explained([token, Told("identity", kept("R-01", kind="member"))], CALENDARS, LEFT)
    left = explained([token, Told("identity", kept("R-01", "2026-11-24", kind="member"))], CALENDARS, LEFT)
    assert [("", False)] == [(item.event_date, item.ended) for _, item in living if item.category == "R-03"]
    assert [("2026-11-24", True)] == [(item.event_date, item.ended) for _, item in left if item.category == "R-03"]


def with_credit_information() -> Calendars:
    """The policy of an owner who is a user of credit information."""
    documents = read(ROOT / "policy")
    documents["settings"]["credit_information_user"]["value"] = True
    return Calendars(of_documents(documents))


def test_a_minimum_beyond_a_maximum_is_a_conflict_for_a_person() -> None:
    """Tax law says until 2032-03-31, credit information law not beyond 2031-11-24: both are told (LC-10, R-10, R-25)."""
    items = explain(
        kept("R-10", "2026-05-10"), kept("R-25", "2026-11-24"),
        kept("R-04", "2026-11-24", kind="misuse", record=MISUSE), calendars=with_credit_information(),
    )  # fmt: skip
    assert {"R-10": "2032-03-31", "R-25": "2031-11-24", "R-04": "2027-11-24"} == ends(items)
    assert {"R-10": True, "R-25": True, "R-04": False} == {item.category: item.conflict for item in items}


def test_a_maximum_cuts_what_only_a_consent_keeps() -> None:
    """A consent for three years ends with the maximum before that, without a conflict (LC-10)."""
    items = explain(
        kept("R-05", "2031-01-01", kind="inquiry"), kept("R-25", "2026-11-24", kind="inquiry"),
        calendars=with_credit_information(), today=date(2031, 11, 25),
    )  # fmt: skip
    assert {"R-05": "2031-11-24", "R-25": "2031-11-24"} == ends(items)
    assert not any(item.conflict for item in items)
    assert all(item.ended for item in items)


def another_version(before: str, after: str) -> Calendars:
    """The policy with a second version, in force since 2026-10-01, that has changed the period of R-05."""
    documents = read(ROOT / "policy")
    versions, category = documents["versions"]["versions"], documents["retention"]["categories"]["R-05"]
    versions.append(
        versions[0]
        | {
            "id": "2", "announced_on": date(2026, 8, 1), "effective_on": date(2026, 10, 1), "materiality": "material",
            "changed": [{"category": "R-05", "before": before, "after": after}],
        }
    )  # fmt: skip
    category["period"] = after
    return Calendars(of_documents(documents))


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [("3 years", "5 years", "2029-09-01", "2031-09-01"), ("3 years", "1 year", "2027-09-01", "2027-09-01")],
)
def test_a_longer_period_is_for_new_records_a_shorter_one_for_all(before: str, after: str, old: str, new: str) -> None:
    """A record keeps the version that it was collected under, but for a shorter period, which applies at once."""
    items = explain(
        kept("R-05", "2026-09-01", kind="inquiry", policy_version="1"),
        kept("R-05", "2026-09-01", kind="inquiry", record=MISUSE, policy_version="2"),
        calendars=another_version(before, after),
    )
    assert {"1": old, "2": new} == {item.policy_version: item.last_day for item in items}


def test_a_version_that_is_not_in_force_changes_nothing() -> None:
    """It is announced: until its day the period before it holds, for explanations and plans alike."""
    items = explain(
        kept("R-05", "2025-11-24", kind="inquiry"), calendars=another_version("3 years", "1 year"),
        today=date(2026, 9, 30),
    )  # fmt: skip
    assert {"R-05": "2028-11-24"} == ends(items)
    through = [
        Categories(another_version("3 years", "1 year")).chosen(["R-05"], day)[0].through
        for day in (date(2026, 9, 30), date(2026, 10, 1))
    ]
    assert [date(2023, 9, 29), date(2025, 9, 30)] == through


def test_a_category_that_the_policy_does_not_have_makes_no_answer() -> None:
    """A holder of another version keeps something that nobody could explain: a part would read as the whole."""
    with pytest.raises(PolicyIncomplete):
        explain(kept("R-09b", "2026-05-10"), kept("R-99", "2026-05-10"))
