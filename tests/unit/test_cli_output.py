"""What leaves the command: times, JSON, and text that a terminal would act on."""

import json
from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.identity.v1.member_service_pb2 import Member, MemberProfile
from onggi.processing_log.v1.processing_log_service_pb2 import Entry
from onggi.purge.v1.purge_service_pb2 import Cutoff, TableCount
from onggi.retention.v1.retention_service_pb2 import Plan, PlanPart, PlanState

from cli import json_output, plan_view
from cli.detail import rows
from cli.failures import UsageError
from cli.log_time import moment
from cli.printable import kst, method_name, person_or_service, printable

HOSTILE = "\x1b]0;title\x07\u202ecba\x9b2J\r\n\U000e0041"


def test_times_are_shown_in_korea() -> None:
    """UTC 15:00 is midnight of the next day; an unset time is empty; one outside the calendar is said to be so."""
    noon = Timestamp()
    noon.FromDatetime(datetime(2026, 1, 1, 15, 0, 0, 123000, tzinfo=UTC))

    assert kst(noon) == "2026-01-02 00:00:00.123 KST"
    assert kst(Timestamp()) == ""
    assert kst(Timestamp(seconds=2**40)) == "(no valid time)"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-01-02", datetime(2026, 1, 1, 15, tzinfo=UTC)),
        ("2026-01-02T09:30", datetime(2026, 1, 2, 0, 30, tzinfo=UTC)),
        ("2026-01-02T09:30:00Z", datetime(2026, 1, 2, 9, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 5, 31, 22, tzinfo=UTC)),
        ("7d", datetime(2026, 5, 25, tzinfo=UTC)),
    ],
)
def test_typed_times_are_korean_unless_they_say_otherwise(typed: str, expected: datetime) -> None:
    """A date alone is its midnight in Korea; a number with a unit counts back from now."""
    parsed = moment(typed, now=datetime(2026, 6, 1, tzinfo=UTC))

    assert parsed is not None
    assert parsed.ToDatetime(tzinfo=UTC) == expected


@pytest.mark.parametrize("typed", ["", "yesterday", "2026-13-01", "0001-01-01T00:00+14:00", "999999d"])
def test_other_times_are_refused_without_repeating_them(typed: str) -> None:
    """The refusal shows the forms, not the input."""
    with pytest.raises(UsageError, match="a time is like"):
        moment(typed)


def test_a_time_ahead_is_not_counted_from_now() -> None:
    """`2h` is two hours ago in a search of the log; as the end of a token it would lie in the past, and is refused."""
    with pytest.raises(UsageError, match=r"2027-01-02T15:04$"):
        moment("2h", past=False)
    assert moment("2027-01-02T15:04", past=False) == moment("2027-01-02T15:04")


def test_json_has_the_contracts_names_and_every_field() -> None:
    """snake_case as in the contract, and defaults present, so that programs find every key."""
    answer = json_output.as_object(Entry(service="identity"))

    assert answer["rpc_method"] == ""
    assert answer["subject_ids"] == []
    assert answer["service"] == "identity"


def test_json_is_safe_on_a_terminal_and_the_same_when_read_back() -> None:
    """Whatever a caller put into a reason, the text has no control or direction character, and reads back unchanged."""
    text = json_output.dumps({"reason": f"홍길동 {HOSTILE}"})

    assert all(character.isprintable() or character == "\n" for character in text)
    assert "홍길동" in text
    assert json.loads(text)["reason"] == f"홍길동 {HOSTILE}"


def test_text_for_people_shows_control_characters_as_escapes() -> None:
    """Nothing in it moves the cursor, sets a title or turns the direction of reading."""
    shown = printable(HOSTILE)

    assert shown.isprintable()
    assert "\\x1b" in shown
    assert "\\u202e" in shown


def test_a_table_shows_masked_values_as_they_were_served() -> None:
    """The command neither masks nor unmasks."""
    member = Member(member_id="m", profile=MemberProfile(email="ma****@example.com", representative_name="홍*동"))

    assert dict(rows(member)) == {"member id": "m", "email": "ma****@example.com", "representative name": "홍*동"}


def test_names_are_short_and_foreign_ones_stay_whole() -> None:
    """`ns/sa` for our own identities; anything else is shown as it is."""
    assert person_or_service("spiffe://onggi/ns/staff/sa/support") == "staff/support"
    assert person_or_service("spiffe://other/ns/staff/sa/support") == "spiffe://other/ns/staff/sa/support"
    assert person_or_service("unidentified") == "unidentified"
    assert method_name("onggi.identity.v1.MemberService/GetMember") == "MemberService/GetMember"


def _part(units: int, remaining: int, destroyed: int = 0, skipped: int = 0) -> PlanPart:
    rows_destroyed = [TableCount(table="member", rows=destroyed)] if destroyed else []
    return PlanPart(units=units, remaining=remaining, destroyed=rows_destroyed, skipped=skipped)


@pytest.mark.parametrize(
    ("part", "state", "expected"),
    [
        (_part(10, 0), PlanState.PLAN_STATE_PLANNED, 0),
        (_part(10, 10), PlanState.PLAN_STATE_DESTROYING, 0),
        (_part(10, 4, destroyed=18), PlanState.PLAN_STATE_DESTROYING, 6),
        (_part(10, 0, skipped=10), PlanState.PLAN_STATE_DESTROYING, 10),
        (_part(10, 12, destroyed=1), PlanState.PLAN_STATE_DESTROYING, 0),
        (_part(10, 0), PlanState.PLAN_STATE_CERTIFIED, 10),
    ],
)
def test_progress_counts_what_is_done(part: PlanPart, state: PlanState.ValueType, expected: int) -> None:
    """A part that has not begun counts nothing, also where the holder has not told yet what remains."""
    assert plan_view.done(part, state) == expected


def test_a_date_of_another_version_stands_beside_the_common_one() -> None:
    """Who approves a plan sees every date by which it destroys (GV-02)."""
    part = PlanPart(through="2022-11-23", cutoffs=[Cutoff(policy_version="1", through="2023-11-23")])
    assert plan_view.through(part) == "2022-11-23; version 1: 2023-11-23"
    assert plan_view.through(PlanPart(through="2022-11-23")) == "2022-11-23"


def test_a_state_of_a_later_version_is_shown_as_its_number() -> None:
    """An older command reads a newer service."""
    assert plan_view.state_name(Plan(state=PlanState.PLAN_STATE_CERTIFIED)) == "CERTIFIED"
    assert plan_view.state_name(Plan.FromString(b"\x10\x63")) == "99"
