"""Destruction through the real path: withdrawal, plan, execution, verification by another role, certificate (LC-01…08)."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.identity.v1 import contact_service_pb2, member_service_pb2, record_kinds_pb2, record_service_pb2
from onggi.payment_vault.v1 import detokenization_service_pb2, instrument_pb2, tokenization_service_pb2
from onggi.purge.v1 import purge_service_pb2
from onggi.retention.v1 import retention_service_pb2 as retention
from stdnum import luhn

from chassis import kst
from chassis.kst import KST
from chassis.policy.calendar import due
from chassis.policy.duration import Period
from dev.stack import Stack
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log

MEMBERS = "onggi.identity.v1.MemberService"
CONTACTS = "onggi.identity.v1.ContactService"
RECORDS = "onggi.identity.v1.RecordService"
TOKENS = "onggi.payment_vault.v1.TokenizationService"
REVEALS = "onggi.payment_vault.v1.DetokenizationService"
PURGE = "onggi.purge.v1.PurgeService"
RETENTION = "onggi.retention.v1.RetentionService"

MEMBERSHIP = AccessContext(purpose="membership")
BILLING = AccessContext(purpose="billing", reason="monthly settlement")
DESTRUCTION = AccessContext(purpose="destruction", reason="reviewed")


def new_id() -> str:
    """A request id."""
    return str(uuid.uuid4())


def business_number(serial: int) -> str:
    """A synthetic number with a valid check digit, of the class 999-81."""
    head = f"99981{serial:04d}"
    total = sum(int(digit) * weight for digit, weight in zip(head, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True))
    return head + str(-(total + int(head[8]) * 5 // 10) % 10)


async def register(clients: Clients, serial: int) -> str:
    """Register a member with a contact; return its id."""
    profile = member_service_pb2.MemberProfile(
        email=f"purge-{serial}@example.com", organization_name="파기시험조합",
        organization_number=business_number(serial), business_registration_number=business_number(serial + 1),
        representative_name="홍길동", address="서울특별시 영등포구 시험로 1", representative_phone="02-000-0000",
    )  # fmt: skip
    made = await clients.call("portal", f"{MEMBERS}/RegisterMember", member_service_pb2.RegisterMemberRequest(
        access=MEMBERSHIP, request_id=new_id(), profile=profile, password="a long enough password"))  # fmt: skip
    member_id: str = made.message.member.member_id
    contact = contact_service_pb2.ContactProfile(name="김담당", mobile_phone="010-0000-0001", email="kim@example.com")
    added = await clients.call("portal", f"{CONTACTS}/AddContact", contact_service_pb2.AddContactRequest(
        access=MEMBERSHIP, request_id=new_id(), member_id=member_id, profile=contact))  # fmt: skip
    assert added.code is grpc.StatusCode.OK
    return member_id


async def tokenize(clients: Clients, member_id: str, serial: int) -> Outcome:
    """Tokenise a synthetic card of the member."""
    head = f"400000{serial:09d}"
    card = instrument_pb2.Card(
        number=head + luhn.calc_check_digit(head), expiry="12/39", business_registration_number=business_number(1)
    )
    return await clients.call("billing", f"{TOKENS}/Tokenize", tokenization_service_pb2.TokenizeRequest(
        access=BILLING, request_id=new_id(), member_id=member_id, instrument=instrument_pb2.Instrument(card=card),
    ))  # fmt: skip


async def append_logins(clients: Clients, member_id: str, days: list[date]) -> Outcome:
    """Append a log-in record at noon in Korea of each day."""
    request = record_service_pb2.AppendRecordsRequest(access=MEMBERSHIP, request_id=new_id())
    for day in days:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=KST)
        stamp = Timestamp()
        stamp.FromDatetime(noon.astimezone(UTC))
        login = record_kinds_pb2.LoginRecord(ip_address="203.0.113.9", user_agent="Test/1.0")
        request.records.append(record_service_pb2.Record(member_id=member_id, occurred_at=stamp, login=login))
    return await clients.call("portal", f"{RECORDS}/AppendRecords", request)


async def run_plan(clients: Clients, categories: list[str]) -> Any:
    """Plan, approve where a person has to, execute; return the plan at its end."""
    planned = await clients.call("retention-operator", f"{RETENTION}/PlanPurge", retention.PlanPurgeRequest(
        access=DESTRUCTION, request_id=new_id(), categories=categories))  # fmt: skip
    plan = planned.message.plan
    if plan.state == retention.PLAN_STATE_PLANNED:
        approved = await clients.call("privacy-officer", f"{RETENTION}/ApprovePlan", retention.ApprovePlanRequest(
            access=DESTRUCTION, request_id=new_id(), plan_id=plan.plan_id, digest=plan.digest))  # fmt: skip
        assert approved.code is grpc.StatusCode.OK
    started = await clients.call("retention-operator", f"{RETENTION}/ExecutePlan", retention.ExecutePlanRequest(
        access=DESTRUCTION, request_id=new_id(), plan_id=plan.plan_id))  # fmt: skip
    assert started.code is grpc.StatusCode.OK, started.reason
    watched = await clients.call("retention-operator", f"{RETENTION}/WatchPlan", retention.WatchPlanRequest(
        access=DESTRUCTION, plan_id=plan.plan_id), timeout=60)  # fmt: skip
    return watched.messages[-1].plan


async def certificate(clients: Clients, plan_id: str) -> retention.Certificate:
    """Fetch a plan's certificate."""
    answer = await clients.call("privacy-officer", f"{RETENTION}/GetCertificate", retention.GetCertificateRequest(
        access=DESTRUCTION, plan_id=plan_id))  # fmt: skip
    found: retention.Certificate = answer.message.certificate
    return found


async def test_a_member_that_left_is_destroyed_everywhere(clients: Clients, log: Log, stack: Stack) -> None:
    """R-01, R-03, LC-03, LC-08: rows, contacts, tokens, fingerprints and salts go; the certificate verifies offline."""
    member_id, neighbour = await register(clients, 100), await register(clients, 200)
    token = (await tokenize(clients, member_id, 1)).message.token.token
    kept = (await tokenize(clients, neighbour, 1)).message.token.token
    left = await clients.call("portal", f"{MEMBERS}/WithdrawMember", member_service_pb2.WithdrawMemberRequest(
        access=MEMBERSHIP, request_id=new_id(), member_id=member_id))  # fmt: skip
    assert left.message.withdrawn_on == kst.today().isoformat()

    plan = await run_plan(clients, ["R-01", "R-03"])

    assert plan.state == retention.PLAN_STATE_CERTIFIED, plan.trouble
    assert all(part.checks and all(check.passed for check in part.checks) for part in plan.parts)
    assert any("kept ciphertext" in check.name for part in plan.parts for check in part.checks)
    for database, statement in {
        "identity": "SELECT (SELECT count(*) FROM member WHERE member_id = $1) + "
        "(SELECT count(*) FROM contact WHERE member_id = $1) + "
        "(SELECT count(*) FROM erasure_key WHERE unit = 'member:' || $1 AND wrapped_salt IS NOT NULL) + "
        "(SELECT count(*) FROM idempotency WHERE subject_id = $1)",
        "payment_vault": "SELECT (SELECT count(*) FROM token WHERE member_id = $1) + "
        "(SELECT count(*) FROM erasure_key WHERE unit = 'member:' || $1 AND wrapped_salt IS NOT NULL) + "
        "(SELECT count(*) FROM idempotency WHERE subject_id = $1)",
    }.items():
        [[rows]] = await log.fetch(database, statement, uuid.UUID(member_id))
        assert rows == 0, database
    gone = await clients.call("billing", f"{REVEALS}/Detokenize", detokenization_service_pb2.DetokenizeRequest(
        access=BILLING, member_id=member_id, token=token))  # fmt: skip
    assert (gone.code, gone.reason) == (grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND")
    there = await clients.call("billing", f"{REVEALS}/Detokenize", detokenization_service_pb2.DetokenizeRequest(
        access=BILLING, member_id=neighbour, token=kept))  # fmt: skip
    assert there.code is grpc.StatusCode.OK, "a neighbour's token is untouched"
    late = await tokenize(clients, member_id, 2)
    assert (late.code, late.reason) == (grpc.StatusCode.NOT_FOUND, "SUBJECT_DESTROYED"), "nothing comes back (P4)"

    signed = await certificate(clients, plan.plan_id)
    public_key = load_pem_public_key(stack.certificate_public_key.read_bytes())
    assert isinstance(public_key, Ed25519PublicKey)
    public_key.verify(signed.signature, signed.statement)
    statement = json.loads(signed.statement)
    assert statement["plan_id"] == plan.plan_id
    assert member_id not in signed.statement.decode(), "the register holds nobody's id"


async def test_log_in_records_end_with_their_three_months(clients: Clients, log: Log) -> None:
    """R-12, LC-11: whole months leave as partitions, the month of the cut-off by day, and not a day too early."""
    member_id = await register(clients, 300)
    cutoff = due(Period(months=3), kst.today())
    whole_month = (cutoff.replace(day=1) - timedelta(days=1)).replace(day=1)
    ended = [whole_month, whole_month + timedelta(days=9), cutoff]
    living = [cutoff + timedelta(days=1), kst.today()]
    answer = await append_logins(clients, member_id, [*ended, *living])
    assert all(result.WhichOneof("outcome") == "record_id" for result in answer.message.results)

    plan = await run_plan(clients, ["R-12"])

    assert plan.state == retention.PLAN_STATE_CERTIFIED, plan.trouble
    [part] = plan.parts
    assert part.through == cutoff.isoformat()
    statement = "SELECT event_date FROM login_record WHERE member_id = $1 ORDER BY event_date"
    rows = await log.fetch("identity", statement, uuid.UUID(member_id))
    assert [row["event_date"] for row in rows] == living
    [[partition]] = await log.fetch("identity", f"SELECT to_regclass('login_record_{whole_month:%Y_%m}')::text")
    assert partition is None, "a month that is wholly due is dropped"
    listed = await clients.call("portal", f"{RECORDS}/ListRecords", record_service_pb2.ListRecordsRequest(
        access=MEMBERSHIP, member_id=member_id))  # fmt: skip
    assert len(listed.message.records) == len(living)

    late = await append_logins(clients, member_id, [whole_month, living[0]])
    errors = [result.error.rule for result in late.message.results]
    assert errors == ["PERIOD_ENDED", ""], "a destroyed day takes nothing more; its neighbour in the batch is added"


async def test_a_plan_destroys_its_set_and_no_more(clients: Clients, log: Log) -> None:
    """P5, X7: an older epoch is refused, and so is a set that is not the approved one."""
    member_id, plan_id = await register(clients, 400), new_id()
    today = kst.today().isoformat()
    left = await clients.call("portal", f"{MEMBERS}/WithdrawMember", member_service_pb2.WithdrawMemberRequest(
        access=MEMBERSHIP, request_id=new_id(), member_id=member_id))  # fmt: skip
    assert left.code is grpc.StatusCode.OK

    async def prepare(epoch: int) -> Outcome:
        return await clients.call("retention", f"{PURGE}/PreparePurge", purge_service_pb2.PreparePurgeRequest(
            access=DESTRUCTION, plan_id=plan_id, epoch=epoch, category="R-01", through=today),
            service="identity")  # fmt: skip

    async def execute(epoch: int, digest: str) -> Outcome:
        return await clients.call("retention", f"{PURGE}/ExecutePurge", purge_service_pb2.ExecutePurgeRequest(
            access=DESTRUCTION, plan_id=plan_id, epoch=epoch, category="R-01", limit=10, digest=digest),
            service="identity")  # fmt: skip

    digest = (await prepare(epoch=2)).message.digest
    stale, changed = await execute(1, digest), await execute(2, "0" * 64)

    assert (stale.code, stale.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "STALE_EPOCH")
    assert (changed.code, changed.reason) == (grpc.StatusCode.ABORTED, "PLAN_CHANGED")
    [[rows]] = await log.fetch("identity", "SELECT count(*) FROM member WHERE member_id = $1", uuid.UUID(member_id))
    assert rows == 1, "a refused attempt destroys nothing"
    done = await execute(2, digest)
    again = await execute(3, digest)
    assert done.message.remaining == again.message.remaining == 0
    assert done.message.destroyed == again.message.destroyed, "a repeated command changes nothing (C1)"


@pytest.mark.parametrize(
    "caller", ["portal", "billing", "support", "privacy-officer", "retention-operator", "stranger"]
)
async def test_nobody_but_retention_may_have_data_destroyed(clients: Clients, log: Log, caller: str) -> None:
    """AC-01, X12: PurgeService is callable by the retention service alone, and the attempt is on record."""
    refused = await clients.call(caller, f"{PURGE}/ExecutePurge", purge_service_pb2.ExecutePurgeRequest(
        access=DESTRUCTION, plan_id=new_id(), epoch=1, category="R-01", limit=1, digest="0" * 64))  # fmt: skip

    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ACCESS_DENIED")
    row = await log.one_row_of(refused)
    assert (row["status"], row["action"]) == ("PERMISSION_DENIED", "PURGE")
