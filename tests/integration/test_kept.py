"""What identity and the archive tell the retention service that they keep: bases, dates and items, and no value (법35)."""

from datetime import date
from uuid import UUID

import grpc
import pytest
from onggi.purge.v1 import purge_service_pb2 as api

from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.memberships import GIVEN, before, member_with_everything, moved, today, withdraw

pytestmark = pytest.mark.timeout(120)

PEOPLE = {
    "member": "address business_registration_number email organization_name organization_number password "
    "representative_name representative_phone",
    "contact": "contact_email contact_mobile_phone contact_name",
}


async def kept(clients: Clients, holder: str, *, member_id: str = "", record_id: str = "") -> Outcome:
    """ListKept as the retention service."""
    request = api.ListKeptRequest(access=examples.access("destruction"))
    if member_id:
        request.member_id = member_id
    else:
        request.record_id = record_id
    return await clients.call("retention", "onggi.purge.v1.PurgeService/ListKept", request, service=holder)


def lines(outcome: Outcome) -> set[tuple[str, str, str, str]]:
    """Kind, category, event date and items of what is kept; ids apart."""
    return {(item.kind, item.category, item.event_date, " ".join(item.items)) for item in outcome.message.kept}


async def test_identity_tells_all_that_it_keeps_of_a_member(clients: Clients, log: Log) -> None:
    """법35, R-01…R-22: the person, contacts, consents, each basis of each record with what it keeps, log-like kinds by day.

    A basis whose start event has not come has no date. The read has its row, with the member in it.
    """
    member_id, ids = await member_with_everything(clients)

    told = await kept(clients, "identity", member_id=member_id)

    reach, tax = "inquiry_content inquiry_email inquiry_mobile_phone", "business_registration_number payment_record"
    assert lines(told) == {
        *((kind, "R-01", "", items) for kind, items in PEOPLE.items()),
        ("consent", "R-15", "", ""),
        ("payment", "R-01", "", "contact_mobile_phone"),
        ("payment", "R-09b", "2026-05-10", "masked_instrument payment_record"),
        ("payment", "R-10", "2026-05-10", f"{tax} transaction_record"),
        ("payment", "R-11", "2026-05-10", "masked_instrument payment_record transaction_record"),
        ("inquiry", "R-05", "2026-03-02", reach),
        ("inquiry", "R-09c", "2026-03-05", "dispute_record"),
        ("inquiry", "R-05", "", reach),
        ("partnership_inquiry", "R-06", str(before(2)), "inquiry_email partnership_content"),
        ("misuse", "R-04", "", "misuse_record"),
        (
            "notification_target", "R-20", "",
            "notification_target_email notification_target_mobile_phone notification_target_name",
        ),
        ("login", "R-12", str(today()), "access_log ip_address"),
        ("usage", "R-22", str(before(1)), "cookie service_usage visit_time"),
    }  # fmt: skip
    assert [item.kind for item in told.message.kept].count("consent") == len(GIVEN)
    assert {item.record_id for item in told.message.kept if item.kind in {"payment", "misuse"}} == {
        ids["payment"], ids["misuse"],
    }  # fmt: skip
    assert {item.policy_version for item in told.message.kept} == {"1"}
    row = await log.one_row_of(told)
    assert (row["action"], [str(subject) for subject in row["subject_ids"]]) == ("READ", [member_id])
    one = await kept(clients, "identity", record_id=ids["payment"])
    assert lines(one) == {line for line in lines(told) if line[0] == "payment"}


async def test_what_has_moved_is_told_by_the_archive(clients: Clients, log: Log) -> None:
    """LC-05: after the move the archive tells the bases that are left, with the dates that they had, and identity none."""
    member_id, ids = await member_with_everything(clients)
    assert (await withdraw(clients, member_id)).code is grpc.StatusCode.OK
    await moved(log, [UUID(ids[name]) for name in ("payment", "complaint", "inquiry", "misuse")])

    here, there = [await kept(clients, holder, member_id=member_id) for holder in ("identity", "archive")]

    assert {kind for kind, *_ in lines(here)} == {
        "member", "contact", "consent", "partnership_inquiry", "notification_target", "login", "usage",
    }  # fmt: skip
    assert {event for kind, _, event, _ in lines(here) if kind in {"member", "contact", "consent"}} == {str(today())}
    assert {(kind, category, date.fromisoformat(event)) for kind, category, event, _ in lines(there)} == {
        ("payment", "R-09b", date(2026, 5, 10)), ("payment", "R-10", date(2026, 5, 10)),
        ("payment", "R-11", date(2026, 5, 10)), ("inquiry", "R-05", date(2026, 3, 2)),
        ("inquiry", "R-09c", date(2026, 3, 5)), ("inquiry", "R-05", today()), ("misuse", "R-04", today()),
    }  # fmt: skip
    assert (await log.one_row_of(there))["status"] == "OK"


async def test_an_id_of_nothing_keeps_nothing(clients: Clients) -> None:
    """An unknown member and an unknown record are answered with nothing, and are no error."""
    for holder in ("identity", "archive"):
        assert list((await kept(clients, holder, member_id=examples.new_id())).message.kept) == []
        assert list((await kept(clients, holder, record_id=examples.new_id())).message.kept) == []


async def test_a_question_about_one_record_is_recorded_with_whose_it_is(clients: Clients, log: Log) -> None:
    """LG-01: the subject (처리한 정보주체) stands in the row, though the question named the record alone."""
    member_id, ids = await member_with_everything(clients)
    told = await kept(clients, "identity", record_id=ids["payment"])
    assert {item.member_id for item in told.message.kept} == {member_id}
    row = await log.one_row_of(told)
    assert [str(subject) for subject in row["subject_ids"]] == [member_id]
