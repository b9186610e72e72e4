"""Members with consents and records, as the tests of consents, purposes and withdrawals make them."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import grpc
from onggi.access.v1.access_context_pb2 import VIEW_FULL
from onggi.identity.v1 import consent_service_pb2 as consents
from onggi.identity.v1 import member_service_pb2 as members
from onggi.identity.v1 import record_service_pb2 as records
from onggi.retention.v1 import retention_service_pb2 as retention

from tests.integration import examples, record_examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.record_examples import record

MEMBERS = "onggi.identity.v1.MemberService"
CONSENTS = "onggi.identity.v1.ConsentService"
RETENTION = "onggi.retention.v1.RetentionService"
GIVEN = ("marketing", "inquiry_retention", "partnership_retention", "misuse_retention", "notification_target")
"""The consents of a member with everything."""

today = record_examples.today


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


async def append(clients: Clients, *given: records.Record) -> Sequence[str]:
    """Append records as the portal; their ids. Fails where one is refused."""
    results = (await record_examples.append(clients, given)).message.results
    errors = [result.error for result in results if result.HasField("error")]
    assert not errors, errors
    return [result.record_id for result in results]


def inquiry(member_id: str, day: date, *standings: records.Standing) -> records.Record:
    """An inquiry, with what was done about it where it is a complaint too."""
    complaint = any(standing.category == "R-09c" for standing in standings)
    changes = {"resolution": f"처리 {examples.WORDS.letters(14)}"} if complaint else {}
    return record("inquiry", member_id, *standings, day=day, **changes)


def payment(member_id: str, day: date) -> records.Record:
    """A payment by card."""
    return record("payment", member_id, day=day)


def partnership(member_id: str, day: date) -> records.Record:
    """A proposal that nobody has looked at."""
    return record("partnership_inquiry", member_id, day=day)


def notified(member_id: str, day: date) -> records.Record:
    """Somebody to be told of events."""
    return record("notification_target", member_id, day=day)


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
        "misuse": record("misuse", member_id, day=before(9), ip_address=""),  # no address is known
        "notification_target": notified(member_id, before(1)),
    }
    ids = await append(clients, *by_field.values())
    await append(clients, *(examples.login(member_id) for _ in range(2)), record("usage", member_id, day=before(1)))
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
