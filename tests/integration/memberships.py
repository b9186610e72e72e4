"""Members with consents and records, as the tests of consents, purposes and withdrawals make them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
from onggi.access.v1.access_context_pb2 import VIEW_FULL
from onggi.identity.v1 import consent_service_pb2 as consents
from onggi.identity.v1 import member_service_pb2 as members
from onggi.identity.v1 import record_kinds_pb2 as kinds
from onggi.identity.v1 import record_service_pb2 as records
from onggi.retention.v1 import retention_service_pb2 as retention

from chassis.instants import timestamp
from chassis.kst import KST, event_date
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log

MEMBERS = "onggi.identity.v1.MemberService"
CONSENTS = "onggi.identity.v1.ConsentService"
RECORDS = "onggi.identity.v1.RecordService"
RETENTION = "onggi.retention.v1.RetentionService"
GIVEN = ("marketing", "inquiry_retention", "partnership_retention", "misuse_retention", "notification_target")
"""The consents of a member with everything."""


def today() -> date:
    """The Korean day that it is."""
    return event_date(datetime.now(UTC))


async def give(clients: Clients, member_id: str, consent: str = "marketing", request_id: str = "") -> Outcome:
    """GiveConsent as the portal."""
    return await clients.call("portal", f"{CONSENTS}/GiveConsent", consents.GiveConsentRequest(
        access=examples.access(), request_id=request_id or examples.new_id(), member_id=member_id, consent=consent,
        channel=consents.CONSENT_CHANNEL_WEB))  # fmt: skip


async def end(clients: Clients, member_id: str, consent: str = "marketing", request_id: str = "") -> Outcome:
    """WithdrawConsent as the portal."""
    return await clients.call("portal", f"{CONSENTS}/WithdrawConsent", consents.WithdrawConsentRequest(
        access=examples.access(), request_id=request_id or examples.new_id(), member_id=member_id, consent=consent,
    ))  # fmt: skip


async def listed(clients: Clients, member_id: str) -> Outcome:
    """ListConsents as the portal."""
    request = consents.ListConsentsRequest(access=examples.access(), member_id=member_id)
    return await clients.call("portal", f"{CONSENTS}/ListConsents", request)


async def get(
    clients: Clients, member_id: str, caller: str = "portal", purpose: str = "membership", view: int = VIEW_FULL
) -> Outcome:
    """GetMember."""
    request = members.GetMemberRequest(access=examples.access(purpose), member_id=member_id, view=view)  # type: ignore[arg-type]
    return await clients.call(caller, f"{MEMBERS}/GetMember", request)


async def find(clients: Clients, email: str, caller: str = "portal", purpose: str = "membership") -> Outcome:
    """FindMember by e-mail address."""
    request = members.FindMemberRequest(access=examples.access(purpose), email=email, view=VIEW_FULL)
    return await clients.call(caller, f"{MEMBERS}/FindMember", request)


async def withdraw(clients: Clients, member_id: str, request_id: str = "") -> Outcome:
    """WithdrawMember as the portal."""
    return await clients.call("portal", f"{MEMBERS}/WithdrawMember", members.WithdrawMemberRequest(
        access=examples.access(), request_id=request_id or examples.new_id(), member_id=member_id))  # fmt: skip


def record(member_id: str, day: date, *standings: records.Standing, **body: Any) -> records.Record:
    """A record of noon of a Korean day."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=KST)
    occurred_at = timestamp(min(noon, datetime.now(KST)).astimezone(UTC))
    return records.Record(member_id=member_id, occurred_at=occurred_at, standings=standings, **body)


async def append(clients: Clients, *given: records.Record) -> Sequence[str]:
    """Append records as the portal; their ids. Fails where one is refused."""
    answer = await clients.call("portal", f"{RECORDS}/AppendRecords", records.AppendRecordsRequest(
        access=examples.access(), request_id=examples.new_id(), records=given))  # fmt: skip
    errors = [result.error for result in answer.message.results if result.HasField("error")]
    assert not errors, errors
    return [result.record_id for result in answer.message.results]


def inquiry(member_id: str, day: date, *standings: records.Standing) -> records.Record:
    """An inquiry, with what was done about it where it is a complaint too."""
    body = kinds.InquiryRecord(
        email=f"{examples.WORDS.letters(10)}@inquirer.example", mobile_phone=examples.NUMBERS.phone("010"),
        body=f"문의 {examples.WORDS.letters(14)}",
    )  # fmt: skip
    if any(standing.category == "R-09c" for standing in standings):
        body.resolution = f"처리 {examples.WORDS.letters(14)}"
    return record(member_id, day, *standings, inquiry=body)


def payment(member_id: str, day: date) -> records.Record:
    """A payment by card."""
    return record(member_id, day, payment=kinds.PaymentRecord(
        amount="330000", supplied=f"이용료 {examples.WORDS.letters(14)}", masked_instrument="400000******0002",
        approval_number=str(examples.RANDOM.randrange(10**7, 10**8)), payer_phone=examples.NUMBERS.phone("010"),
        business_registration_number=examples.NUMBERS.business_number(("81", "86")),
    ))  # fmt: skip


def usage(member_id: str, day: date) -> records.Record:
    """A visit."""
    return record(member_id, day, usage=kinds.UsageRecord(
        visited_at=f"{day}T01:02:03Z", cookie=examples.WORDS.letters(20), page=examples.WORDS.letters(12)))  # fmt: skip


def partnership(member_id: str, day: date) -> records.Record:
    """A proposal that nobody has looked at."""
    body = kinds.PartnershipInquiryRecord(
        email=f"{examples.WORDS.letters(10)}@partner.example", body=f"제휴 {examples.WORDS.letters(12)}"
    )
    return record(member_id, day, partnership_inquiry=body)


def misuse(member_id: str, day: date) -> records.Record:
    """A misuse of which no address is known."""
    return record(member_id, day, misuse=kinds.MisuseRecord(description=f"부정 {examples.WORDS.letters(12)}"))


def notified(member_id: str, day: date) -> records.Record:
    """Somebody to be told of events."""
    return record(member_id, day, notification_target=kinds.NotificationTargetRecord(
        name=examples.WORDS.person(), mobile_phone=examples.NUMBERS.phone("010"),
        email=f"{examples.WORDS.letters(10)}@told.example"))  # fmt: skip


async def member_with_everything(clients: Clients) -> tuple[str, dict[str, str]]:
    """A member with consents and records, and the ids of the records that are kept by field, by kind."""
    member_id = (await examples.new_member(clients)).member_id
    await examples.new_contact(clients, member_id)
    for consent in GIVEN:
        assert (await give(clients, member_id, consent)).code is grpc.StatusCode.OK
    closed, settled = (
        records.Standing(category="R-05", event_date="2026-03-02"),
        records.Standing(category="R-09c", event_date="2026-03-05"),
    )
    by_field = {
        "payment": payment(member_id, date(2026, 5, 10)),
        "complaint": inquiry(member_id, date(2026, 3, 1), closed, settled),
        "inquiry": inquiry(member_id, before(4)),
        "partnership_inquiry": partnership(member_id, before(2)),
        "misuse": misuse(member_id, before(9)),
        "notification_target": notified(member_id, before(1)),
    }
    ids = await append(clients, *by_field.values())
    await append(clients, *(examples.login(member_id) for _ in range(2)), usage(member_id, before(1)))
    return member_id, dict(zip(by_field, ids, strict=True))


async def moved(log: Log, record_ids: list[UUID], seconds: float = 20.0) -> None:
    """Wait until the records are in the archive and nowhere else."""
    count = "SELECT count(*) AS number FROM record WHERE record_id = ANY($1)"
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        [[here], [there]] = [await log.fetch(name, count, record_ids) for name in ("identity", "archive")]
        if (here["number"], there["number"]) == (0, len(record_ids)):
            return
        assert asyncio.get_running_loop().time() < deadline, "the records do not move"
        await asyncio.sleep(0.1)


def before(days: int) -> date:
    """The Korean day so many days ago."""
    return today() - timedelta(days=days)


async def purge(clients: Clients, *categories: str) -> Any:
    """Plan, approve where a person has to, execute; the plan at its end."""
    why = examples.access("destruction", reason="a test")
    planned = await clients.call("retention-operator", f"{RETENTION}/PlanPurge", retention.PlanPurgeRequest(
        access=why, request_id=examples.new_id(), categories=categories))  # fmt: skip
    plan = planned.message.plan
    if plan.state == retention.PLAN_STATE_PLANNED:
        await clients.call("privacy-officer", f"{RETENTION}/ApprovePlan", retention.ApprovePlanRequest(
            access=why, request_id=examples.new_id(), plan_id=plan.plan_id, digest=plan.digest))  # fmt: skip
    await clients.call("retention-operator", f"{RETENTION}/ExecutePlan", retention.ExecutePlanRequest(
        access=why, request_id=examples.new_id(), plan_id=plan.plan_id))  # fmt: skip
    watched = await clients.call("retention-operator", f"{RETENTION}/WatchPlan", retention.WatchPlanRequest(
        access=why, plan_id=plan.plan_id), timeout=60)  # fmt: skip
    return watched.messages[-1].plan
