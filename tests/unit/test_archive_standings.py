"""What moves into the archive, and what a purpose opens of it, on which day: the policy's words at a test's clock."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from chassis.kst import KST
from chassis.policy.load import load
from services.identity.archive.left_records import Left
from services.identity.archive.reseal import Parcel, SealedField
from services.identity.archive.standings import Share, Standings
from services.identity.record_bases import RecordBasis
from tests.unit.policy_periods import PERIODS, after

POLICY = load(Path(__file__).resolve().parents[2] / "policy")
VERSION = "1"
PAID, LEFT = date(2026, 5, 10), date(2026, 11, 24)
PAYMENT = [
    RecordBasis("R-01", LEFT),
    RecordBasis("R-09b", PAID),
    RecordBasis("R-10", PAID),
    RecordBasis("R-11", PAID),
]


def on(day: date) -> Callable[[], datetime]:
    """A clock that stands at noon in Korea."""
    return lambda: datetime(day.year, day.month, day.day, 12, tzinfo=KST)


def names(share: Share | None) -> list[str]:
    """The categories of a share; none where there is none."""
    return [] if share is None else [basis.category for basis in share.bases]


def test_a_payment_moves_with_its_laws_and_their_fields() -> None:
    """R-01, R-09b: on the day of the withdrawal the membership's basis is over and three laws remain; no telephone number."""
    share = Standings(POLICY, on(LEFT)).moving("payment", PAYMENT, VERSION)
    assert share is not None
    assert names(share) == ["R-09b", "R-10", "R-11"]
    assert share.fields == {
        "amount", "supplied", "masked_instrument", "approval_number", "business_registration_number",
    }  # fmt: skip


@pytest.mark.parametrize(("day", "kept"), [
    (date(2031, 5, 10), ["R-09b", "R-10", "R-11"]), (date(2031, 5, 11), ["R-10"]),
    (date(2032, 3, 31), ["R-10"]), (date(2032, 4, 1), [])])  # fmt: skip
def test_what_has_ended_does_not_move(day: date, kept: list[str]) -> None:
    """R-09b, R-10, R-11: five years by the Civil Act, and five from the filing deadline; after the last nothing moves."""
    assert names(Standings(POLICY, on(day)).moving("payment", PAYMENT, VERSION)) == kept


def test_midnight_is_koreas() -> None:
    """R-09b: at 15:00 UTC of the last day it is the next day in Korea, and the basis is over."""
    last = datetime(2031, 5, 10, 14, 59, tzinfo=UTC)
    for now, living in ((last, True), (last.replace(hour=15, minute=0), False)):
        found = names(Standings(POLICY, lambda now=now: now).moving("payment", PAYMENT, VERSION))  # type: ignore[misc]
        assert ("R-09b" in found) is living


@pytest.mark.parametrize(("kind", "bases"), [
    ("partnership_inquiry", [RecordBasis("R-06", LEFT)]),
    ("malicious_attachment", [RecordBasis("R-07", LEFT)]),
    ("payment", [*PAYMENT, RecordBasis("R-06", LEFT)]),
    ("payment", [*PAYMENT, RecordBasis("R-77", PAID)]),
    ("payment", []),
    ("payment", PAYMENT[:1]),
])  # fmt: skip
def test_what_is_not_the_archives_stays(kind: str, bases: list[RecordBasis]) -> None:
    """R-06, R-07: a live basis, one that the policy does not know, and no basis at all keep a record where it is."""
    assert Standings(POLICY, on(LEFT)).moving(kind, bases, VERSION) is None


def test_a_withdrawn_consent_moves_nothing_and_a_law_cannot_be_withdrawn() -> None:
    """R-04, LC-12: ended_on ends a consent's basis at once, and never a statutory one."""
    standings = Standings(POLICY, on(LEFT))
    assert standings.moving("misuse", [RecordBasis("R-04", LEFT, LEFT)], VERSION) is None
    assert names(standings.moving("misuse", [RecordBasis("R-04", LEFT)], VERSION)) == ["R-04"]
    assert names(standings.moving("payment", [RecordBasis("R-10", PAID, LEFT)], VERSION)) == ["R-10"]


@pytest.mark.parametrize(("purpose", "kept"), [
    ("tax", ["R-10"]), ("consumer_protection", ["R-09b"]), ("electronic_finance", ["R-11"]),
    ("misuse_prevention", []), ("membership", []), ("billing", []), ("destruction", []), ("nonsense", [])])  # fmt: skip
def test_a_purpose_opens_its_own_basis(purpose: str, kept: list[str]) -> None:
    """R-10: a purpose of the kind "law" that one of the record's bases has is the key to it; no other is."""
    assert names(Standings(POLICY, on(LEFT)).opened("payment", PAYMENT, VERSION, purpose)) == kept


def test_a_basis_that_is_over_opens_nothing() -> None:
    """R-09b: from the day after its last, the purpose is refused, although the row waits for its destruction."""
    assert (
        names(Standings(POLICY, on(date(2031, 5, 11))).opened("payment", PAYMENT, VERSION, "consumer_protection")) == []
    )


@pytest.mark.parametrize(("version", "day", "kept"), [
    ("1", date(2029, 11, 23), True), ("1", date(2029, 11, 24), False),
    ("2", date(2030, 11, 23), True), ("2", date(2030, 11, 24), False)])  # fmt: skip
def test_a_basis_keeps_by_the_version_it_was_collected_under(version: str, day: date, kept: bool) -> None:
    """R-05, GV-02: three years under version 1, four under version 2; what is over neither moves nor opens."""
    standings = Standings(after(PERIODS), on(day))
    inquiry = [RecordBasis("R-05", date(2026, 11, 23))]
    assert bool(names(standings.moving("inquiry", inquiry, version))) is kept
    assert bool(names(standings.opened("inquiry", inquiry, version, "inquiry_handling"))) is kept


def test_no_parcel_has_a_field_that_no_basis_keeps() -> None:
    """R-01: whatever went wrong before, a field beyond the bases' own does not get into a deposit."""
    left = Left("r", "payment", (), VERSION, "m", PAID, {})
    share = Share((RecordBasis("R-10", PAID),), frozenset({"amount"}))
    assert Parcel(left, share, (SealedField("amount", "c", "s"),)).fields
    with pytest.raises(ValueError, match="no basis"):
        Parcel(left, share, (SealedField("payer_phone", "c", "s"),))
