"""No start event (기산점) is before the record that it ends: a statutory period would be shorter than the law has it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from onggi.identity.v1 import record_kinds_pb2 as kinds
from onggi.identity.v1 import record_service_pb2 as records

from chassis.errors import DomainError
from chassis.instants import timestamp
from chassis.policy.calendars import Calendars
from chassis.policy.load import load
from services.identity.record_intake import Intake

POLICY = load(Path(__file__).resolve().parents[2] / "policy")
INTAKE = Intake(POLICY.retention, Calendars(POLICY))
MEMBER = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("event", "rules"),
    [
        ("2026-05-09", [("standings[0].event_date", "BEFORE_THE_RECORD")]),
        ("2024-05-10", [("standings[0].event_date", "BEFORE_THE_RECORD")]),
        ("2026-05-10", []),
        ("2026-05-11", []),
        ("", []),
    ],
)
def test_an_event_is_not_before_its_record(event: str, rules: list[tuple[str, str]]) -> None:
    """R-09c: a dispute of 2026-05-10 in Korea is not settled before it, or it would go before its three years are over."""
    dispute = records.Record(
        member_id=MEMBER, occurred_at=timestamp(datetime(2026, 5, 9, 15, 30, tzinfo=UTC)),
        dispute=kinds.DisputeRecord(claim="배송 지연"), standings=[records.Standing(category="R-09c", event_date=event)],
    )  # fmt: skip

    taken = INTAKE.take(dispute, date(2026, 11, 24))

    found = taken.violations if isinstance(taken, DomainError) else ()
    assert [(violation.field, violation.rule) for violation in found] == rules
