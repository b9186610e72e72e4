"""What a legal hold changes in what moves into the archive and what is opened of it (LC-05, LC-13), by the policy's words."""

from datetime import date

import pytest

from services.identity.archive.standings import Standings
from services.identity.record_bases import RecordBasis
from tests.unit.test_archive_standings import LEFT, PAID, PAYMENT, POLICY, VERSION, names, on

HOLD = POLICY.retention.holds.purpose
EVERYTHING = {
    "amount", "supplied", "masked_instrument", "approval_number", "business_registration_number", "payer_phone",
}  # fmt: skip


@pytest.mark.parametrize("day", [LEFT, date(2033, 1, 1)])
def test_what_is_held_moves_with_everything(day: date) -> None:
    """LC-13, R-01: with the basis of the membership, which is over, and its field; after the last period too."""
    share = Standings(POLICY, on(day)).moving("payment", PAYMENT, VERSION, held=True)
    assert names(share) == ["R-01", "R-09b", "R-10", "R-11"]
    assert share is not None
    assert share.fields == EVERYTHING


@pytest.mark.parametrize(("kind", "bases"), [
    ("partnership_inquiry", [RecordBasis("R-06", LEFT)]),
    ("payment", [*PAYMENT, RecordBasis("R-77", PAID)]),
    ("payment", []),
])  # fmt: skip
def test_a_hold_moves_nothing_that_lives_here(kind: str, bases: list[RecordBasis]) -> None:
    """LC-13, R-06: while it is kept here, what is held stays; so does what the policy does not know, or nothing keeps."""
    assert Standings(POLICY, on(LEFT)).moving(kind, bases, VERSION, held=True) is None


def test_an_ended_consent_stays_ended_on_the_way() -> None:
    """LC-12, LC-13: the basis moves with the day on which it was ended."""
    ended = RecordBasis("R-20", LEFT, LEFT)
    share = Standings(POLICY, on(LEFT)).moving("notification_target", [ended], VERSION, held=True)
    assert share is not None
    assert share.bases == (ended,)


@pytest.mark.parametrize(("held", "purpose", "kept"), [
    (True, HOLD, ["R-01", "R-09b", "R-10", "R-11"]), (False, HOLD, []), (True, "tax", ["R-10"]), (False, "tax", ["R-10"]),
    (True, "membership", [])])  # fmt: skip
def test_a_hold_is_opened_by_its_own_purpose(held: bool, purpose: str, kept: list[str]) -> None:
    """LC-13: the hold's purpose opens all that is held and nothing else; other purposes open what they ever did."""
    opened = Standings(POLICY, on(LEFT)).opened("payment", PAYMENT, VERSION, purpose, held=held)
    assert names(opened) == kept
    if kept and purpose == HOLD:
        assert opened is not None
        assert opened.fields == EVERYTHING
