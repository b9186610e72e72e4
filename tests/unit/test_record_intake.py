"""What the policy makes of a record before anything is written: bases, fields and forms, at any "today"."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from onggi.identity.v1 import record_kinds_pb2 as kinds
from onggi.identity.v1 import record_service_pb2 as records

from chassis.errors import DomainError, InvalidField
from chassis.instants import timestamp
from chassis.policy.calendars import Calendars
from chassis.policy.load import load, of_documents, read
from services.identity import record_forms
from services.identity.kept_fields import KeptFields
from services.identity.maxima import of_schedule
from services.identity.record_bases import RecordBasis
from services.identity.record_intake import Fresh, Intake
from tests.unit.policy_periods import PERIODS, after

ROOT = Path(__file__).resolve().parents[2]
POLICY = load(ROOT / "policy")
INTAKE = Intake(POLICY.retention, Calendars(POLICY))
KEPT = KeptFields(POLICY.retention)
MEMBER = "00000000-0000-4000-8000-000000000001"
PAYMENT = kinds.PaymentRecord(
    amount="330000", supplied="이용료", masked_instrument="400000******0002", approval_number="12345678",
    business_registration_number="123-45-67891", payer_phone="010-1234-5678",
)  # fmt: skip


def payment(day: date = date(2026, 5, 10), *categories: str) -> records.Record:
    """A payment of noon UTC of a day."""
    occurred_at = timestamp(datetime(day.year, day.month, day.day, 3, tzinfo=UTC))
    standings = [records.Standing(category=name) for name in categories]
    return records.Record(member_id=MEMBER, occurred_at=occurred_at, payment=PAYMENT, standings=standings)


def taken(record: records.Record, today: date) -> Fresh:
    """What is taken in. Fails where it is refused."""
    item = INTAKE.take(record, today)
    assert isinstance(item, Fresh), item.violations
    return item


def refused(record: records.Record, today: date = date(2026, 11, 24)) -> list[tuple[str, str]]:
    """Field and rule of a refusal."""
    item = INTAKE.take(record, today)
    assert isinstance(item, DomainError)
    return [(violation.field, violation.rule) for violation in item.violations]


@pytest.mark.parametrize(
    ("today", "bases", "gone"),
    [
        (date(2026, 11, 24), {"R-01", "R-09b", "R-10", "R-11"}, set()),
        (date(2031, 5, 10), {"R-01", "R-09b", "R-10", "R-11"}, set()),
        (date(2031, 5, 11), {"R-01", "R-10"}, {"supplied", "masked_instrument"}),
        (date(2032, 3, 31), {"R-01", "R-10"}, {"supplied", "masked_instrument"}),
        (date(2032, 4, 1), {"R-01"}, {field.name for field, _ in PAYMENT.ListFields()} - {"payer_phone"}),
    ],
)  # fmt: skip
def test_what_is_over_is_not_taken_in(today: date, bases: set[str], gone: set[str]) -> None:
    """A payment of 2026-05-10 under its usual bases, on the last days of R-09b/R-11 and R-10 and the days after (LC-10)."""
    item = taken(payment(), today)
    assert bases == {basis.category for basis in item.bases}
    assert gone == {field.name for field, _ in PAYMENT.ListFields()} - item.fields.keys()


def test_nothing_is_left_of_a_record_that_is_over() -> None:
    """Under the laws' bases alone the same payment is refused from 2032-04-01 on."""
    under_law = payment(date(2026, 5, 10), "R-09b", "R-10", "R-11")
    under_law.payment.ClearField("payer_phone")
    assert isinstance(INTAKE.take(under_law, date(2032, 3, 31)), Fresh)
    assert refused(under_law, date(2032, 4, 1)) == [("occurred_at", "PERIOD_ENDED")]


def test_a_field_that_no_basis_keeps_is_refused() -> None:
    """Nothing is stored that has no basis: under R-09b alone, what tax and the telephone need is not taken."""
    assert refused(payment(date(2026, 5, 10), "R-09b")) == [
        ("payment.approval_number", "NO_BASIS"),
        ("payment.business_registration_number", "NO_BASIS"),
        ("payment.payer_phone", "NO_BASIS"),
    ]


def test_numbers_are_brought_into_one_form() -> None:
    """Full-width digits, dashes and country codes are one number each (law.md 4)."""
    item = taken(payment(), date(2026, 11, 24))
    assert ("1234567891", "+821012345678") == (item.fields["business_registration_number"], item.fields["payer_phone"])


@pytest.mark.parametrize(("value", "rule"), [
    ("400000******0002", ""), ("4000-00**-****-0002", ""), ("******1234", ""),
    ("4000000000000002", "NOT_MASKED"), ("400000*00000002", "NOT_MASKED"),
])  # fmt: skip
def test_an_instrument_is_taken_in_masked_alone(value: str, rule: str) -> None:
    """More than the first six and the last four digits are never shown, so never taken (PCI DSS 3.4.1)."""
    body = kinds.PaymentRecord(masked_instrument=value)
    if not rule:
        record_forms.normalise("payment", body)
        return
    with pytest.raises(InvalidField) as failure:
        record_forms.normalise("payment", body)
    assert [("payment.masked_instrument", rule)] == [(item.field, item.rule) for item in failure.value.violations]


@pytest.mark.parametrize("kind", [name for name, kind in POLICY.retention.records.items() if kind.kept == "by field"])
def test_every_field_of_every_kind_has_a_category_that_keeps_it(kind: str) -> None:
    """Under all categories that a kind may stand under, no field is without a basis; a maximum alone keeps nothing."""
    known = POLICY.retention.records[kind]
    fields = {field.name for field in kinds.DESCRIPTOR.message_types_by_name[known.message].fields}
    assert fields == KEPT.of(kind, known.may_stand_under)
    maxima = {category for category in known.may_stand_under if not KEPT.of(kind, [category])}
    assert maxima <= of_schedule(POLICY.retention) == {"R-25"}


def test_what_is_kept_is_the_same_by_row_and_by_kind() -> None:
    """The columns that SQL gets say what the policy says."""
    *columns, named = KEPT.keeps()
    assert set(columns[0]) < set(named) == set(POLICY.retention.categories)
    for category, kind, field in zip(*columns, strict=True):
        assert field in KEPT.of(kind, [category])
        assert field in KEPT.by(category)
    of_r10 = {(kind, field) for category, kind, field in zip(*columns, strict=True) if category == "R-10"}
    assert of_r10 == {
        ("payment", "amount"), ("payment", "approval_number"), ("payment", "business_registration_number"),
        ("tax_document", "document_number"), ("tax_document", "business_registration_number"), ("tax_document", "amount"),
        ("cash_receipt_request", "masked_identifier"),
    }  # fmt: skip


def test_a_record_is_taken_in_by_the_version_in_force() -> None:
    """R-05, GV-02: three and a half years after its closing an inquiry is over under version 1, and not under version 2.

    Version 2 lengthens 3 years to 4 from 2026-03-01 on; until then its files say 4 already, and nothing is taken by them.
    """
    policy = after(PERIODS)
    intake = Intake(policy.retention, Calendars(policy))
    closed = records.Record(
        member_id=MEMBER, occurred_at=timestamp(datetime(2022, 8, 1, 3, tzinfo=UTC)),
        standings=[records.Standing(category="R-05", event_date="2022-09-01")],
        inquiry=kinds.InquiryRecord(body="문의", email="who@inquirer.example", mobile_phone="010-1234-5678"),
    )  # fmt: skip
    assert not isinstance(intake.take(closed, date(2026, 2, 28)), Fresh)
    assert isinstance(intake.take(closed, date(2026, 3, 1)), Fresh)


def of_credit_information_user() -> Intake:
    """By the policy of an owner who is a user of credit information."""
    documents = read(ROOT / "policy")
    documents["settings"]["credit_information_user"]["value"] = True
    policy = of_documents(documents)
    return Intake(policy.retention, Calendars(policy))


@pytest.mark.parametrize("named", [(), ("R-01", "R-09b", "R-10"), ("R-25", "R-01", "R-09b", "R-10")])
def test_a_maximum_in_force_limits_whatever_the_sender_names(named: tuple[str, ...]) -> None:
    """R-25: nobody chooses it. It has no date before the member leaves, and keeps no field (신용정보법 제20조의2)."""
    day = date(2026, 5, 10)
    limited, usual = of_credit_information_user().take(payment(day, *named), day), taken(payment(day), day)
    assert isinstance(limited, Fresh)
    assert [RecordBasis("R-25", None)] == [basis for basis in limited.bases if basis.category == "R-25"]
    assert set(named or [basis.category for basis in usual.bases]) | {"R-25"} == {
        item.category for item in limited.bases
    }
    assert limited.fields.keys() == usual.fields.keys()
    assert "R-25" not in {basis.category for basis in usual.bases}


def test_a_maximum_that_is_not_in_force_is_no_basis() -> None:
    """R-25: off unless the owner's setting says so, also for who names it."""
    assert refused(payment(date(2026, 5, 10), "R-10", "R-25")) == [("standings[1].category", "NOT_A_BASIS")]


def test_what_only_a_maximum_is_left_of_is_not_taken_in() -> None:
    """R-25: it is no ground to keep; a payment whose other bases are over would outlive its period."""
    under_law = payment(date(2010, 1, 1), "R-09b", "R-10", "R-11")
    under_law.payment.ClearField("payer_phone")
    over = of_credit_information_user().take(under_law, date(2026, 5, 10))
    assert isinstance(over, InvalidField)
    assert ["PERIOD_ENDED"] == [item.rule for item in over.violations]
