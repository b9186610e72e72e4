"""Consents over the real wire: given, listed, withdrawn, and what ends with them (법 제15조, 제22조, 제37조)."""

import asyncio
from typing import Any
from uuid import UUID

import grpc
import pytest
from onggi.identity.v1.record_service_pb2 import Standing

from tests.integration import examples
from tests.integration.bad_input import assert_recorded
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import CONSENTS, append, before, end, give, inquiry, listed, today, withdraw

pytestmark = pytest.mark.timeout(120)

BASES = """
SELECT b.category, b.event_date, b.ended_on FROM record_basis AS b WHERE b.record_id = $1 ORDER BY b.category
"""


async def bases_anywhere(log: Log, record_id: str) -> set[tuple[Any, ...]]:
    """The bases of a record, wherever it is: it may be on its way."""
    return {
        tuple(row) for database in ("identity", "archive") for row in await log.fetch(database, BASES, UUID(record_id))
    }


async def test_a_consent_is_given_and_listed(clients: Clients, log: Log) -> None:
    """R-15: who, what, how, when and under which version of the policy; the log says whose, and why it was noted."""
    member_id = (await examples.new_member(clients)).member_id

    given = await give(clients, member_id)

    consent = given.message.consent
    assert (consent.member_id, consent.consent, consent.policy_version) == (member_id, "marketing", "1")
    assert consent.given_at.ToSeconds() > 0
    assert not consent.HasField("withdrawn_at")
    row = await log.one_row_of(given)
    assert (row["action"], row["status"], row["purpose"]) == ("CREATE", "OK", "membership")
    assert [str(subject) for subject in row["subject_ids"]] == [member_id]
    found = await listed(clients, member_id)
    assert list(found.message.consents) == [consent]
    assert (await log.one_row_of(found))["action"] == "READ"


async def test_a_living_consent_is_answered_as_it_stands(clients: Clients, log: Log) -> None:
    """Given again, one after the other and many at once, it is the one consent: its date proves when (R-15)."""
    member_id = (await examples.new_member(clients)).member_id

    outcomes = await asyncio.gather(*(give(clients, member_id) for _ in range(20)))
    outcomes.append(await give(clients, member_id))

    assert {outcome.message.SerializeToString(deterministic=True) for outcome in outcomes} == {
        outcomes[0].message.SerializeToString(deterministic=True)
    }
    [row] = await log.fetch("identity", "SELECT count(*) AS number FROM consent WHERE member_id = $1", UUID(member_id))
    assert row["number"] == 1


async def test_the_same_request_gives_the_same_answer(clients: Clients) -> None:
    """AIP-155: a request_id that is repeated gives what it gave at first, whatever has happened since."""
    member_id = (await examples.new_member(clients)).member_id
    first_id, second_id = examples.new_id(), examples.new_id()
    given = await give(clients, member_id, request_id=first_id)
    ended = await end(clients, member_id, request_id=second_id)

    assert (await give(clients, member_id, request_id=first_id)).message == given.message
    assert (await end(clients, member_id, request_id=second_id)).message == ended.message
    assert len((await listed(clients, member_id)).message.consents) == 1
    other = await give(clients, member_id, consent="statistics", request_id=first_id)
    assert (other.code, other.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_an_unknown_consent_is_refused(clients: Clients, log: Log) -> None:
    """The policy has no such consent: CONSENT_UNKNOWN, on record, and nothing is kept."""
    member_id = (await examples.new_member(clients)).member_id

    refused = await give(clients, member_id, consent="everything")

    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CONSENT_UNKNOWN")
    assert refused.violations == [("consent", "unknown")]
    await assert_recorded(log, refused)
    assert list((await listed(clients, member_id)).message.consents) == []


async def test_nobody_has_no_consents(clients: Clients, log: Log) -> None:
    """Absent and withdrawn are one answer: MEMBER_NOT_FOUND to give and to list, CONSENT_NOT_FOUND to withdraw."""
    left = (await examples.new_member(clients)).member_id
    assert (await withdraw(clients, left)).code is grpc.StatusCode.OK

    for member_id in (examples.new_id(), left):
        for outcome, reason in (
            (await give(clients, member_id), "MEMBER_NOT_FOUND"),
            (await listed(clients, member_id), "MEMBER_NOT_FOUND"),
            (await end(clients, member_id), "CONSENT_NOT_FOUND"),
        ):
            assert (outcome.code, outcome.reason) == (grpc.StatusCode.NOT_FOUND, reason)
            await assert_recorded(log, outcome)


async def test_a_consent_ends_and_may_be_given_anew(clients: Clients, log: Log) -> None:
    """법37, R-15: a withdrawal ends it once; a new consent is another one, and the list has both, the newest first."""
    member_id = (await examples.new_member(clients)).member_id
    given = (await give(clients, member_id)).message.consent

    ended = await end(clients, member_id)

    assert ended.message.consent.consent_id == given.consent_id
    assert ended.message.consent.HasField("withdrawn_at")
    assert (await log.one_row_of(ended))["action"] == "WITHDRAW"
    again = await end(clients, member_id)
    assert (again.code, again.reason) == (grpc.StatusCode.NOT_FOUND, "CONSENT_NOT_FOUND")
    renewed = (await give(clients, member_id)).message.consent
    assert list((await listed(clients, member_id)).message.consents) == [renewed, ended.message.consent]
    [row] = await log.fetch(
        "identity", "SELECT withdrawn_on FROM consent WHERE consent_id = $1", UUID(given.consent_id)
    )
    assert row["withdrawn_on"] == today()


async def test_what_stands_on_a_consent_ends_with_it(clients: Clients, log: Log) -> None:
    """LC-12, R-05, R-09c: the consent's own basis ends today, of that member alone; what a law keeps runs on."""
    member_id, neighbour = [(await examples.new_member(clients)).member_id for _ in range(2)]
    for each in (member_id, neighbour):
        assert (await give(clients, each, "inquiry_retention")).code is grpc.StatusCode.OK
    standings = [Standing(category=name, event_date=str(before(3))) for name in ("R-05", "R-09c")]
    [complaint] = await append(clients, inquiry(member_id, before(5), *standings))
    [bare] = await append(clients, inquiry(member_id, before(5)))
    [others] = await append(clients, inquiry(neighbour, before(5)))

    assert (await end(clients, member_id, "inquiry_retention")).code is grpc.StatusCode.OK

    assert [tuple(row) for row in await log.fetch("identity", BASES, UUID(complaint))] == [
        ("R-05", before(3), today()),
        ("R-09c", before(3), None),
    ]
    assert [tuple(row) for row in await log.fetch("identity", BASES, UUID(bare))] == [("R-05", None, today())]
    assert [tuple(row) for row in await log.fetch("identity", BASES, UUID(others))] == [("R-05", None, None)]


async def test_a_former_member_withdraws_a_consent_too(clients: Clients, log: Log) -> None:
    """법37, LC-12, R-05: it ended by leaving, but what is kept under it ends when the former member says so.

    Wherever it has moved to in the meantime; and to say it twice is no error.
    """
    member_id = (await examples.new_member(clients)).member_id
    assert (await give(clients, member_id, "inquiry_retention")).code is grpc.StatusCode.OK
    standing = Standing(category="R-05", event_date=str(before(3)))
    [record_id] = await append(clients, inquiry(member_id, before(5), standing))
    assert (await withdraw(clients, member_id)).code is grpc.StatusCode.OK
    assert await bases_anywhere(log, record_id) == {("R-05", before(3), None)}

    ended = await end(clients, member_id, "inquiry_retention")
    repeated = await end(clients, member_id, "inquiry_retention")

    assert ended.message.consent.HasField("withdrawn_at")
    assert repeated.message == ended.message
    assert (await log.one_row_of(ended))["status"] == "OK"
    [row] = await log.rows_of_trace("archive", ended.trace_id)
    assert (row["rpc_method"], [str(subject) for subject in row["subject_ids"]]) == (
        f"{CONSENTS}/WithdrawConsent", [member_id],
    )  # fmt: skip
    assert await bases_anywhere(log, record_id) == {("R-05", before(3), today())}


async def test_it_ends_wherever_a_record_is_on_its_way(clients: Clients, log: Log) -> None:
    """법37, LC-12: said while the records move, a moment earlier or later, and no basis is left that has not ended.

    Not at once and not after the move: none slips into the archive behind the withdrawal.
    """
    ids = await asyncio.gather(*(_leave_and_end(clients, milliseconds=4 * number) for number in range(24)))

    for _ in range(3):
        found = [await bases_anywhere(log, record_id) for record_ids in ids for record_id in record_ids]
        assert {ended_on for bases in found for _, _, ended_on in bases} == {today()}
        await asyncio.sleep(1.0)


async def _leave_and_end(clients: Clients, milliseconds: int) -> list[str]:
    """Have a member with inquiries leave and end the consent to keep them so soon after; the records' ids."""
    member_id = (await examples.new_member(clients)).member_id
    assert (await give(clients, member_id, "inquiry_retention")).code is grpc.StatusCode.OK
    record_ids = await append(clients, *(inquiry(member_id, before(5)) for _ in range(3)))
    assert (await withdraw(clients, member_id)).code is grpc.StatusCode.OK
    await asyncio.sleep(milliseconds / 1000)
    assert (await end(clients, member_id, "inquiry_retention")).code is grpc.StatusCode.OK
    return list(record_ids)
