"""A member leaves: what ends, what is kept all the same and told so, and what is left in the end (법21, LC-01, LC-05)."""

from datetime import date
from uuid import UUID

import grpc
import pytest
from onggi.purge.v1.purge_service_pb2 import Kept
from onggi.retention.v1 import retention_service_pb2 as retention
from onggi.retention.v1.kept_item_pb2 import KeptItem

from chassis.policy.civil_act import last_day
from chassis.policy.duration import Period
from chassis.policy.load import load
from dev.environment import ROOT
from services.identity.kept_items import MOST, KeptItems
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.memberships import (
    GIVEN,
    MEMBERS,
    RETENTION,
    before,
    get,
    listed,
    member_with_everything,
    moved,
    purge,
    today,
    withdraw,
)

pytestmark = pytest.mark.timeout(180)

BASES = "SELECT category, event_date, ended_on FROM record_basis WHERE record_id = ANY($1)"


def told(outcome: Outcome) -> set[tuple[str, ...]]:
    """What an answer says is kept: holder, kind, id, category, event, last day, items."""
    return {
        (item.holder, item.kind, item.record_id, item.category, item.event_date, item.last_day, " ".join(item.items))
        for item in outcome.message.kept
    }


async def test_the_answer_lists_what_is_kept(clients: Clients, log: Log) -> None:
    """법21①③, R-04…R-22: basis by basis, from which day to which, which items; and nothing that ends at once.

    Dates of the payment and of the complaint as law.md has them: worked out by hand. The member's own data (R-01), the
    payer's telephone number in the payment and the people to be notified (R-20) end with the membership.
    """
    member_id, ids = await member_with_everything(clients)

    left = await withdraw(clients, member_id)

    day = today()
    assert left.message.withdrawn_on == str(day)
    year, three, month, quarter = (
        str(last_day(day, Period(years=1))), str(last_day(day, Period(years=3))),
        str(last_day(before(2), Period(months=1))), Period(months=3),
    )  # fmt: skip
    consents = await log.fetch("identity", "SELECT consent_id FROM consent WHERE member_id = $1", UUID(member_id))
    tax = "business_registration_number payment_record transaction_record"
    reach = "inquiry_content inquiry_email inquiry_mobile_phone"
    assert told(left) == {
        ("archive", "payment", ids["payment"], "R-09b", "2026-05-10", "2031-05-10", "masked_instrument payment_record"),
        ("archive", "payment", ids["payment"], "R-10", "2026-05-10", "2032-03-31", tax),
        (
            "archive", "payment", ids["payment"], "R-11", "2026-05-10", "2031-05-10",
            "masked_instrument payment_record transaction_record",
        ),
        ("archive", "inquiry", ids["complaint"], "R-05", "2026-03-02", "2029-03-02", reach),
        ("archive", "inquiry", ids["complaint"], "R-09c", "2026-03-05", "2029-03-05", "dispute_record"),
        ("archive", "inquiry", ids["inquiry"], "R-05", str(day), three, reach),
        ("archive", "misuse", ids["misuse"], "R-04", str(day), year, "misuse_record"),
        (
            "identity", "partnership_inquiry", ids["partnership_inquiry"], "R-06", str(before(2)), month,
            "inquiry_email partnership_content",
        ),
        ("identity", "login", "", "R-12", str(day), str(last_day(day, quarter)), "access_log ip_address"),
        (
            "identity", "usage", "", "R-22", str(before(1)), str(last_day(before(1), quarter)),
            "cookie service_usage visit_time",
        ),
        *(("identity", "consent", str(row["consent_id"]), "R-15", str(day), three, "") for row in consents),
    }  # fmt: skip
    assert len(consents) == len(GIVEN)
    [tax_row] = [item for item in left.message.kept if item.category == "R-10"]
    assert (tax_row.basis, tax_row.policy_version, tax_row.conflict) == ("LAW_MIN", "1", False)
    assert "국세기본법" in tax_row.article
    assert "법정신고기한" in tax_row.start_event
    assert all(item.korean and item.article and item.start_event for item in left.message.kept)
    assert (await log.one_row_of(left))["action"] == "WITHDRAW"


async def test_the_same_request_is_answered_the_same_after_the_move(clients: Clients, log: Log) -> None:
    """AIP-155, LC-05: when identity has nothing of the records any more, the repeated request still has the first answer."""
    member_id, ids = await member_with_everything(clients)
    request_id = examples.new_id()
    first = await withdraw(clients, member_id, request_id)
    moving = [UUID(ids[name]) for name in ("payment", "complaint", "inquiry", "misuse")]

    await moved(log, moving)
    again = await withdraw(clients, member_id, request_id)

    assert again.message.SerializeToString(deterministic=True) == first.message.SerializeToString(deterministic=True)
    other = await withdraw(clients, member_id)
    assert (other.code, other.reason) == (grpc.StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND")


async def test_the_answer_goes_with_the_member(clients: Clients, log: Log) -> None:
    """R-01, AIP-155: once a plan has destroyed the member, its requests are forgotten too; nothing of the answer is left."""
    member_id = (await examples.new_member(clients)).member_id
    request_id = examples.new_id()
    assert (await withdraw(clients, member_id, request_id)).code is grpc.StatusCode.OK
    assert (await purge(clients, "R-01", "R-03")).state == retention.PLAN_STATE_CERTIFIED

    again = await withdraw(clients, member_id, request_id)

    assert (again.code, again.reason) == (grpc.StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND")
    assert not await log.fetch("identity", "SELECT 1 FROM idempotency WHERE request_id = $1", UUID(request_id))


async def test_the_answer_and_the_explanation_say_the_same(clients: Clients, log: Log) -> None:
    """법35, LC-05: what the answer to the withdrawal lists is what the retention service explains once all has moved.

    The explanation has each day of log-like records and each ended basis besides.
    """
    member_id, ids = await member_with_everything(clients)
    left = await withdraw(clients, member_id)
    await moved(log, [UUID(ids[name]) for name in ("payment", "complaint", "inquiry", "misuse")])

    explained = await clients.call("retention-operator", f"{RETENTION}/ExplainRetention", (
        retention.ExplainRetentionRequest(access=examples.access("destruction"), member_id=member_id)))  # fmt: skip

    running = [item for item in explained.message.kept if not item.ended]
    assert {bare(item) for item in running} == {bare(item) for item in left.message.kept}


def bare(item: KeptItem) -> bytes:
    """An item, to be compared."""
    return item.SerializeToString(deterministic=True)


async def test_a_withdrawal_starts_and_ends_what_it_has_to(clients: Clients, log: Log) -> None:
    """법21, R-04, R-05, R-20: consents end, open start events come, dates that were noted stay, nothing else is ended.

    A neighbour's are untouched.
    """
    member_id, ids = await member_with_everything(clients)
    neighbour, others = await member_with_everything(clients)

    assert (await withdraw(clients, member_id)).code is grpc.StatusCode.OK

    for reading in (await get(clients, member_id), await listed(clients, member_id)):
        assert (reading.code, reading.reason) == (grpc.StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND")
    statement = (
        "SELECT count(*) FILTER (WHERE withdrawn_on = $2) AS ended, count(*) AS given FROM consent WHERE member_id = $1"
    )
    for whose, ended in ((member_id, len(GIVEN)), (neighbour, 0)):
        [row] = await log.fetch("identity", statement, UUID(whose), today())
        assert (row["ended"], row["given"]) == (ended, len(GIVEN))
    found = {
        name: {tuple(row) for place in ("identity", "archive") for row in await log.fetch(place, BASES, [UUID(id_)])}
        for name, id_ in ids.items()
    }
    day = today()
    assert {("R-05", date(2026, 3, 2), None), ("R-09c", date(2026, 3, 5), None)} == found["complaint"]
    assert found["inquiry"] == {("R-05", day, None)}
    assert found["misuse"] == {("R-04", day, None)}
    assert found["notification_target"] == {("R-20", day, None)}
    assert found["partnership_inquiry"] == {("R-06", before(2), None)}
    assert {row for row in found["payment"] if row[0] != "R-01"} == {
        (category, date(2026, 5, 10), None) for category in ("R-09b", "R-10", "R-11")
    }
    neighbours = await log.fetch("identity", BASES, [UUID(others["inquiry"])])
    assert [tuple(row) for row in neighbours] == [("R-05", None, None)]
    states = await log.fetch("identity", "SELECT DISTINCT state FROM record WHERE member_id = $1", UUID(neighbour))
    assert [row["state"] for row in states] == ["LIVE"]


async def test_nothing_is_left_to_know_a_former_member_by(clients: Clients, log: Log) -> None:
    """LC-03, R-01: the policy has no row for a re-join hash, so none is kept: no blind index outlives the purge.

    The same address and numbers register again at once, before the purge and after it, as somebody new.
    """
    request = examples.register()
    first = (await clients.call("portal", f"{MEMBERS}/RegisterMember", request)).message.member.member_id
    indexes = "SELECT email_index, organization_number_index, business_number_index FROM member WHERE member_id = $1"
    [known] = await log.fetch("identity", indexes, UUID(first))
    everything = await log.everything("identity")
    assert [value for value in known if value not in everything] == [], "a search that finds nothing is no search"
    assert (await withdraw(clients, first)).code is grpc.StatusCode.OK

    plan = await purge(clients, "R-01", "R-03")

    assert plan.state == retention.PLAN_STATE_CERTIFIED, plan.trouble
    for database in ("identity", "archive", "payment_vault"):
        everything = await log.everything(database)
        assert [value for value in known if value in everything] == [], database
    ids = {first}
    for _ in range(2):
        request.request_id = examples.new_id()
        made = await clients.call("portal", f"{MEMBERS}/RegisterMember", request)
        ids.add(made.message.member.member_id)
        assert (await withdraw(clients, made.message.member.member_id)).code is grpc.StatusCode.OK
    assert len(ids) == 3


def test_more_than_an_answer_can_hold_is_told_by_category() -> None:
    """With thousands of records the answer names each kind and category once, with its latest event and all its items."""
    items = KeptItems(load(ROOT / "policy"))
    payments = [
        Kept(kind="payment", record_id=examples.new_id(), category="R-09b", policy_version="1", items=["payment_record"],
             event_date=str(date(2026, 1, 1 + number % 28)))
        for number in range(MOST + 1)
    ]  # fmt: skip

    assert len(items.beyond(date(2026, 11, 24), payments[:MOST])) == MOST
    [one] = items.beyond(date(2026, 11, 24), payments)

    assert (one.kind, one.record_id, one.category) == ("payment", "", "R-09b")
    assert (one.event_date, one.last_day, list(one.items)) == ("2026-01-28", "2031-01-28", ["payment_record"])
