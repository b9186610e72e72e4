"""The archive (분리보관): what moves there when a member leaves, and who sees what of it (법 제21조 제3항, 방침 제9조)."""

from uuid import UUID

import grpc
import pytest
from onggi.access.v1.access_context_pb2 import VIEW_MASKED
from onggi.identity.v1 import record_kinds_pb2 as kinds
from onggi.identity.v1.record_service_pb2 import Record, Standing

from dev.identities import spiffe_id
from tests.integration import examples
from tests.integration.archives import bases, fields, get, leave, list_all, list_page, moved, places, salts
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import append, before, end, give, inquiry, partnership, payment, today, withdraw
from tests.integration.record_examples import record

pytestmark = pytest.mark.timeout(120)

KEPT_OF_A_PAYMENT = ["amount", "approval_number", "business_registration_number", "masked_instrument", "supplied"]
DENIED = (grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_ALLOWED")


async def archived_payment(clients: Clients, log: Log) -> tuple[str, str, Record]:
    """A payment in the archive: the former member's id, its own, and what it was."""
    member_id = (await examples.new_member(clients)).member_id
    given = payment(member_id, before(3))
    [record_id] = await append(clients, given)
    await leave(clients, log, member_id, [record_id])
    return member_id, record_id, given


def misuse(member_id: str) -> Record:
    """A case of fraudulent use."""
    return record("misuse", member_id, day=before(2))


async def test_a_record_moves_with_what_its_remaining_bases_keep(clients: Clients, log: Log) -> None:
    """R-09b, R-10, R-11, LC-10: after the withdrawal the payment is in the archive alone, without its telephone number."""
    member_id, record_id, _ = await archived_payment(clients, log)

    assert await fields(log, "archive", record_id) == await salts(log, "archive", record_id) == KEPT_OF_A_PAYMENT
    assert await bases(log, "archive", record_id) == [(name, before(3), None) for name in ("R-09b", "R-10", "R-11")]
    assert await salts(log, "identity", record_id) == []
    for database in ("identity", "archive"):
        columns = await log.fetch(
            database, "SELECT count(*) AS number FROM record_field WHERE record_id = $1 AND field = 'payer_phone'",
            UUID(record_id),
        )  # fmt: skip
        assert columns[0]["number"] == 0
    [there] = await log.fetch("archive", "SELECT * FROM record WHERE record_id = $1", UUID(record_id))
    assert (str(there["member_id"]), there["kind"], there["occurred_on"]) == (member_id, "payment", before(3))


async def test_the_move_stands_in_both_logs_as_a_job(clients: Clients, log: Log) -> None:
    """LG-01, LG-02: who moved whose records and which items, in identity's log and in the archive's, under one action."""
    member_id, record_id, _ = await archived_payment(clients, log)

    for database in ("identity", "archive"):
        statement = "SELECT * FROM processing_log WHERE action = 'ARCHIVE' AND $1 = ANY(resource_ids)"
        [row] = await log.fetch(database, statement, record_id)
        assert (row["actor"], row["actor_type"], row["status"]) == (spiffe_id("onggi", "identity"), "JOB", "OK")
        assert member_id in [str(subject) for subject in row["subject_ids"]]
        assert {"payment_record", "masked_instrument"} <= set(row["items"])
        assert "contact_mobile_phone" not in row["items"]


async def test_a_purpose_opens_what_its_basis_keeps(clients: Clients, log: Log) -> None:
    """R-10, AC-11: under "tax" a payment shows its R-10 fields and its R-10 basis; under another purpose, that one's."""
    member_id, record_id, given = await archived_payment(clients, log)
    body = given.payment

    tax = (await get(clients, record_id, "tax")).message.record
    shop = (await get(clients, record_id, "consumer_protection")).message.record

    assert tax.payment == kinds.PaymentRecord(
        amount=body.amount, approval_number=body.approval_number,
        business_registration_number=tax.payment.business_registration_number,
    )  # fmt: skip
    assert tax.payment.business_registration_number.replace("-", "") == body.business_registration_number.replace(
        "-", ""
    )
    assert [standing.category for standing in tax.standings] == ["R-10"]
    assert shop.payment == kinds.PaymentRecord(
        amount=body.amount, supplied=body.supplied, masked_instrument=body.masked_instrument
    )  # fmt: skip
    assert [standing.category for standing in shop.standings] == ["R-09b"]
    assert (tax.record_id, tax.member_id, tax.policy_version) == (record_id, member_id, "1")


async def test_the_masked_view_shows_nothing_in_full(clients: Clients, log: Log) -> None:
    """AC-12: the same purpose without a full view gets masks."""
    _, record_id, given = await archived_payment(clients, log)

    masked = (await get(clients, record_id, "tax", view=VIEW_MASKED)).message.record.payment

    assert (masked.amount, masked.approval_number) == ("***", "***")
    assert given.payment.business_registration_number[-5:] not in masked.business_registration_number


async def test_another_purpose_is_refused_and_recorded(clients: Clients, log: Log) -> None:
    """R-09b: a purpose that no basis of this record has opens nothing, whoever states it; the log names the subject."""
    member_id, record_id, _ = await archived_payment(clients, log)

    refused = await get(clients, record_id, "misuse_prevention")

    assert (refused.code, refused.reason) == DENIED
    row = await log.one_row_of(refused)
    assert (row["status"], row["error_reason"], row["items"]) == (*(DENIED[0].name, DENIED[1]), [])
    assert [str(subject) for subject in row["subject_ids"]] == [member_id]
    assert row["resource_ids"] == [record_id]


async def test_no_live_purpose_and_no_other_caller_gets_in(clients: Clients, log: Log) -> None:
    """AC-01: membership, billing and support open nothing here, nor does a caller that the policy does not name."""
    member_id, record_id, _ = await archived_payment(clients, log)

    for caller, purpose in (("privacy-officer", "membership"), ("tax-officer", "consumer_protection")):
        assert ((outcome := await get(clients, record_id, purpose, caller=caller)).code, outcome.reason) == DENIED
        listed = await list_page(clients, member_id, purpose, caller=caller)
        assert (listed.code, listed.reason) == DENIED
    for caller, purpose in (("portal", "membership"), ("billing", "billing"), ("support", "tax"), ("identity", "tax")):
        outcome = await get(clients, record_id, purpose, caller=caller)
        assert (outcome.code, outcome.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ACCESS_DENIED")
        assert (await log.one_row_of(outcome))["status"] == "PERMISSION_DENIED"


async def test_what_is_not_there_is_not_found(clients: Clients, log: Log) -> None:
    """An unknown record is RECORD_NOT_FOUND with one row; a member without archived records has an empty list."""
    unknown = await get(clients, examples.new_id(), "tax")

    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "RECORD_NOT_FOUND")
    assert (await log.one_row_of(unknown))["status"] == "NOT_FOUND"
    listed = await list_page(clients, examples.new_id(), "tax")
    assert not listed.message.records
    assert (await log.one_row_of(listed))["status"] == "OK"


async def test_a_list_has_what_the_purpose_opens_page_by_page(clients: Clients, log: Log) -> None:
    """ListArchived: newest first, each once, over several pages, and no record of another purpose among them."""
    member_id = (await examples.new_member(clients)).member_id
    await give(clients, member_id, "misuse_retention")
    days = [before(day % 5 + 1) for day in range(16)]
    payments = await append(clients, *(payment(member_id, day) for day in days))
    [other] = await append(clients, misuse(member_id))
    await leave(clients, log, member_id, [*payments, other])

    found = await list_all(clients, member_id, "electronic_finance")

    assert sorted(item.record_id for item in found) == sorted(payments)
    order = [(item.occurred_at.seconds, item.record_id) for item in found]
    assert order == sorted(order, reverse=True)
    assert [item.record_id for item in await list_all(clients, member_id, "misuse_prevention")] == [other]


async def test_a_former_members_consent_ends_what_stands_on_it(clients: Clients, log: Log) -> None:
    """R-04, LC-12: withdrawn after the move, the consent closes the archived record at once, and leaves no note behind."""
    member_id = (await examples.new_member(clients)).member_id
    await give(clients, member_id, "misuse_retention")
    record_ids = await append(clients, misuse(member_id), payment(member_id, before(1)))
    await leave(clients, log, member_id, record_ids)
    assert (await get(clients, record_ids[0], "misuse_prevention")).message.record.misuse.ip_address

    assert (await end(clients, member_id, "misuse_retention")).code is grpc.StatusCode.OK

    assert await bases(log, "archive", record_ids[0]) == [("R-04", today(), today())]
    refused = await get(clients, record_ids[0], "misuse_prevention")
    assert (refused.code, refused.reason) == DENIED
    assert (await get(clients, record_ids[1], "tax")).code is grpc.StatusCode.OK
    assert not await log.fetch("archive", "SELECT * FROM consent_end")
    statement = "SELECT * FROM processing_log WHERE rpc_method LIKE '%WithdrawConsent' AND $1 = ANY(subject_ids)"
    [row] = await log.fetch("archive", statement, UUID(member_id))
    assert row["actor"] == spiffe_id("apps", "portal")


async def test_a_record_stays_while_a_live_basis_keeps_it(clients: Clients, log: Log) -> None:
    """R-06: a partnership inquiry is no law's affair; it stays in identity for its month and never enters the archive."""
    member_id = (await examples.new_member(clients)).member_id
    await give(clients, member_id, "partnership_retention")
    [stays] = await append(clients, partnership(member_id, before(1)))
    [moves] = await append(clients, payment(member_id, before(1)))

    await leave(clients, log, member_id, [moves])

    assert await places(log, [stays, moves]) == ({stays}, {moves})


async def test_a_record_that_nothing_keeps_is_not_archived(clients: Clients, log: Log) -> None:
    """R-05: an inquiry whose consent was withdrawn before has ended, and is destroyed where it is, not moved."""
    member_id = (await examples.new_member(clients)).member_id
    await give(clients, member_id, "inquiry_retention")
    [ended] = await append(clients, inquiry(member_id, before(1)))
    await end(clients, member_id, "inquiry_retention")
    [moves] = await append(clients, payment(member_id, before(1)))

    await leave(clients, log, member_id, [moves])

    assert await places(log, [ended]) == ({ended}, set())


async def test_a_complaint_moves_with_both_of_its_bases(clients: Clients, log: Log) -> None:
    """R-05, R-09c: a complaint stands under a consent and a law; each purpose opens its own part of it."""
    member_id = (await examples.new_member(clients)).member_id
    await give(clients, member_id, "inquiry_retention")
    given = inquiry(
        member_id, before(4), *(Standing(category=name, event_date=str(before(2))) for name in ("R-05", "R-09c"))
    )
    [record_id] = await append(clients, given)
    await leave(clients, log, member_id, [record_id])

    law = (await get(clients, record_id, "consumer_protection")).message.record
    consent = (await get(clients, record_id, "inquiry_handling")).message.record

    assert law.inquiry == kinds.InquiryRecord(resolution=given.inquiry.resolution)
    assert (consent.inquiry.body, consent.inquiry.resolution) == (given.inquiry.body, "")
    await end(clients, member_id, "inquiry_retention")
    assert (await get(clients, record_id, "inquiry_handling")).reason == "PURPOSE_NOT_ALLOWED"
    assert (await get(clients, record_id, "consumer_protection")).message.record == law


async def test_withdrawn_twice_moves_once(clients: Clients, log: Log) -> None:
    """AIP-155: asked again, the withdrawal has the same answer and nothing moves a second time."""
    member_id = (await examples.new_member(clients)).member_id
    record_ids = await append(clients, *(payment(member_id, before(1)) for _ in range(3)))
    request_id = examples.new_id()
    first = await withdraw(clients, member_id, request_id)
    again = await withdraw(clients, member_id, request_id)
    await moved(log, record_ids)
    assert first.message == again.message
    statement = "SELECT count(*) AS number FROM processing_log WHERE action = 'ARCHIVE' AND $1 = ANY(resource_ids)"
    assert [(await log.fetch(name, statement, record_ids[0]))[0]["number"] for name in ("identity", "archive")] == [
        1,
        1,
    ]
