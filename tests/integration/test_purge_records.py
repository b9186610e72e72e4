"""Destruction by field: a basis ends, and with it the fields that only it kept; the record goes with its last basis."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from onggi.identity.v1.record_service_pb2 import Standing

from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import end, give
from tests.integration.purges import Plan, change, destroyed, fields_of, move_event, rows, salts_of
from tests.integration.record_examples import add, list_of, note, record, today

pytestmark = pytest.mark.timeout(120)

ALL = {"amount", "supplied", "masked_instrument", "approval_number", "business_registration_number", "payer_phone"}
PIN = "UPDATE record SET policy_version = $2 WHERE record_id = $1"
BY_TAX = {"amount", "approval_number", "business_registration_number"}


async def member(clients: Clients) -> str:
    """A member."""
    return (await examples.new_member(clients)).member_id


async def payment(clients: Clients, member_id: str, *, payer: bool = True) -> str:
    """A payment under all of its bases, or without the one of the membership."""
    if payer:
        return await add(clients, record("payment", member_id))
    by_law = [Standing(category=name) for name in ("R-09b", "R-10", "R-11")]
    return await add(clients, record("payment", member_id, *by_law, payer_phone=""))


async def test_each_field_of_a_payment_lives_as_long_as_a_basis_that_keeps_it(clients: Clients, log: Log) -> None:
    """R-09b, R-11, R-10 end one after the other: each time what only it kept goes, with its salt, and nothing else."""
    member_id, day = await member(clients), date(2001, 5, 10)
    whole, by_law = await payment(clients, member_id), await payment(clients, member_id, payer=False)
    for record_id in (whole, by_law):
        await move_event(log, record_id, day)
    assert await fields_of(log, whole) == ALL

    gone = await destroyed(clients, "R-09b", day)
    assert gone == {"record_basis": 2, "record_field": 2, "erasure_key": 2}
    assert await fields_of(log, whole) == ALL - {"supplied"}

    gone = await destroyed(clients, "R-11", day)
    assert gone == {"record_basis": 2, "record_field": 2, "erasure_key": 2}
    assert await fields_of(log, whole) == await salts_of(log, whole) == BY_TAX | {"payer_phone"}
    assert await fields_of(log, by_law) == await salts_of(log, by_law) == BY_TAX
    shown = {item.record_id: item for item in (await list_of(clients, member_id, "payment")).message.records}
    body = shown[whole].payment
    assert (body.supplied, body.masked_instrument) == ("", "")
    assert all((body.amount, body.approval_number, body.business_registration_number, body.payer_phone))
    assert {item.category for item in shown[whole].standings} == {"R-01", "R-10"}

    gone = await destroyed(clients, "R-10", day)
    assert gone == {"record_basis": 2, "record_field": 6, "erasure_key": 6, "record": 1}
    assert await fields_of(log, whole) == await salts_of(log, whole) == {"payer_phone"}, "its member is still there"
    assert await salts_of(log, by_law) == set()
    assert await log.fetch("identity", "SELECT 1 FROM record WHERE record_id = $1", UUID(by_law)) == []
    [left] = (await list_of(clients, member_id, "payment")).message.records
    assert (left.record_id, [item.category for item in left.standings]) == (whole, ["R-01"])


async def test_not_a_day_too_early(clients: Clients, log: Log) -> None:
    """A purge up to the day before the event leaves the basis alone; one up to the day itself takes it (LC-01)."""
    record_id, day = await payment(clients, await member(clients)), date(2001, 8, 2)
    await move_event(log, record_id, day, "R-09b")
    assert await destroyed(clients, "R-09b", day - timedelta(days=1)) == {}
    assert "supplied" in await fields_of(log, record_id)
    assert (await destroyed(clients, "R-09b", day))["record_basis"] == 1
    assert "supplied" not in await fields_of(log, record_id)


async def test_what_has_no_event_date_yet_has_no_end(clients: Clients, log: Log) -> None:
    """A dispute that nobody has closed is not due, however far the purge goes (R-09c)."""
    record_id = await add(clients, record("dispute", await member(clients)))
    await destroyed(clients, "R-09c", today())
    assert await fields_of(log, record_id) == {"claim", "resolution"}


async def test_a_basis_that_was_ended_is_due_at_once(clients: Clients, log: Log) -> None:
    """With its consent the basis ends before its period: the next purge takes its fields and leaves the others (LC-12)."""
    await destroyed(clients, "R-05", date(2000, 1, 1))  # what others have ended
    member_id = await member(clients)
    await give(clients, member_id, "inquiry_retention")
    both = [Standing(category="R-05"), Standing(category="R-09c")]
    record_id = await add(clients, record("inquiry", member_id, *both, resolution="처리 완료"))
    assert await destroyed(clients, "R-05", date(2000, 1, 1)) == {}
    await end(clients, member_id, "inquiry_retention")
    assert await destroyed(clients, "R-05", date(2000, 1, 1)) == {
        "record_basis": 1,
        "record_field": 3,
        "erasure_key": 3,
    }
    assert await fields_of(log, record_id) == await salts_of(log, record_id) == {"resolution"}


async def test_no_withdrawal_ends_what_a_law_wants_kept(clients: Clients, log: Log) -> None:
    """Of a basis in law (LAW_MIN) the period alone decides, whatever was noted of an earlier end (LC-10)."""
    record_id = await payment(clients, await member(clients))
    await change(log, "UPDATE record_basis SET ended_on = '2001-01-01' WHERE record_id = $1", UUID(record_id))
    for category in ("R-09b", "R-10", "R-11"):
        assert await destroyed(clients, category, date(2000, 1, 1)) == {}
    assert await fields_of(log, record_id) == ALL
    await change(log, "UPDATE record_basis SET ended_on = NULL WHERE record_id = $1", UUID(record_id))


async def test_the_full_identifier_of_a_cash_receipt_goes_when_it_is_issued(clients: Clients, log: Log) -> None:
    """R-19 ends at once with the receipt; the masked identifier stays as proof (R-10)."""
    member_id = await member(clients)
    record_id = await add(clients, record("cash_receipt_request", member_id))
    await note(clients, member_id, record_id, "R-19", today())
    assert (await destroyed(clients, "R-19", today()))["record_field"] >= 1
    assert await fields_of(log, record_id) == await salts_of(log, record_id) == {"masked_identifier"}


async def test_an_event_that_was_corrected_meanwhile_is_left_alone(clients: Clients, log: Log) -> None:
    """Between plan and execution the date changes: the execution looks again, skips, and says so (LC-01)."""
    record_id, day = await payment(clients, await member(clients)), date(2001, 10, 3)
    await move_event(log, record_id, day, "R-11")
    plan = Plan(clients, "R-11", day)
    assert (await plan.prepare()).units == 1
    await move_event(log, record_id, day + timedelta(days=1), "R-11")
    done = await plan.execute()
    assert (done.skipped, done.remaining, rows(done.destroyed)) == (1, 0, {})
    assert await fields_of(log, record_id) == ALL
    assert (await plan.verify()).clean


async def test_each_version_is_due_by_its_own_date(clients: Clients, log: Log) -> None:
    """GV-02: two disputes of one day, and a cut-off of their version alone takes the one; what is not named, the common."""
    member_id, day = await member(clients), date(2001, 12, 5)
    earlier, later, unnamed = [await add(clients, record("dispute", member_id)) for _ in range(3)]
    for version, record_id in (("a", earlier), ("b", later), ("c", unnamed)):
        await note(clients, member_id, record_id, "R-09c", today())
        await move_event(log, record_id, day, "R-09c")
        await change(log, PIN, UUID(record_id), version)
    before = day - timedelta(days=1)
    plan = Plan(clients, "R-09c", before, cutoffs={"a": day, "b": before - timedelta(days=300)})
    assert (await plan.prepare()).units == 1
    assert rows((await plan.execute()).destroyed)["record"] == 1
    assert (await plan.verify()).clean
    assert [bool(await fields_of(log, each)) for each in (earlier, later, unnamed)] == [False, True, True]
    plan = Plan(clients, "R-09c", day, cutoffs={"b": before})
    assert (await plan.prepare()).units == 1
    assert rows((await plan.execute()).destroyed)["record"] == 1
    assert [bool(await fields_of(log, each)) for each in (later, unnamed)] == [True, False]
    await destroyed(clients, "R-09c", day)


async def test_the_execution_looks_by_the_dates_that_were_fixed(clients: Clients, log: Log) -> None:
    """LC-01: a plan's cut-offs are those of its first preparation; what is not due by them any more is left alone."""
    member_id, day = await member(clients), date(2002, 12, 6)
    record_id, other = [await add(clients, record("dispute", member_id)) for _ in range(2)]
    for each, version in ((record_id, "a"), (other, "b")):
        await note(clients, member_id, each, "R-09c", today())
        await move_event(log, each, day, "R-09c")
        await change(log, PIN, UUID(each), version)
    plan = Plan(clients, "R-09c", date(2000, 1, 1), cutoffs={"a": day})
    await plan.prepare()
    plan.cutoffs = {"a": date(2000, 1, 1), "b": day}
    assert (await plan.prepare()).units == 1, "asked again for something else, it is the same plan"
    await change(log, PIN, UUID(record_id), "b")
    done = await plan.execute()
    assert (done.skipped, done.remaining, rows(done.destroyed)) == (1, 0, {})
    await destroyed(clients, "R-09c", day)


async def test_an_event_is_not_noted_while_its_record_is_destroyed(clients: Clients, log: Log) -> None:
    """Noting the closing of a dispute and destroying it at the same time: one of the two comes first, and it stands."""
    member_id, day = await member(clients), date(2001, 11, 4)
    ids = [await add(clients, record("dispute", member_id)) for _ in range(10)]
    for record_id in ids:
        await move_event(log, record_id, day, "R-09c")
    plan = Plan(clients, "R-09c", day, limit=2)
    await plan.prepare()
    noted, *_ = await asyncio.gather(
        asyncio.gather(*(note(clients, member_id, record_id, "R-09c", today()) for record_id in ids)),
        *(plan.execute() for _ in range(8)),
    )
    while (done := await plan.execute()).remaining:
        pass
    kept = {record_id for record_id in ids if await fields_of(log, record_id)}
    assert {outcome.reason for outcome in noted} <= {"", "RECORD_NOT_FOUND"}
    assert kept == {record_id for record_id, outcome in zip(ids, noted, strict=True) if not outcome.reason}
    assert done.skipped == len(kept)
    assert (await plan.verify()).clean


async def test_with_the_member_goes_what_only_its_membership_kept(clients: Clients, log: Log) -> None:
    """R-01: the payer's telephone number goes with the member, the payment stays as long as the law keeps it."""
    member_id, day = await member(clients), date(2002, 1, 1)
    record_id = await payment(clients, member_id)
    statement = "UPDATE member SET state = 'WITHDRAWN', withdrawn_on = $2 WHERE member_id = $1"
    await change(log, statement, UUID(member_id), day)
    gone = await destroyed(clients, "R-01", day)
    assert (gone["member"], gone["record_basis"], gone["record_field"]) == (1, 1, 1)
    assert gone["erasure_key"] == 2
    assert await fields_of(log, record_id) == await salts_of(log, record_id) == ALL - {"payer_phone"}


SPOILS: dict[str, tuple[str, str]] = {
    "a salt that came back": (
        "salts left of fields that are gone",
        """
        UPDATE erasure_key SET wrapped_salt = 'vault:v1:AAAA', destroyed_at = NULL
        WHERE unit = 'record:' || $1::uuid || ':supplied'
        """,
    ),
    "a field that came back": (
        "fields left that no basis keeps",
        "INSERT INTO record_field (record_id, field, sealed) VALUES ($1, 'supplied', 'vault:v1:AAAA')",
    ),
    "a basis that came back": (
        "rows left in record_basis",
        "INSERT INTO record_basis (record_id, category, event_date) VALUES ($1, 'R-09b', '2002-03-05')",
    ),
}


@pytest.mark.parametrize("spoil", SPOILS)
async def test_the_verification_takes_nobodys_word(clients: Clients, log: Log, spoil: str) -> None:
    """Salt, field or basis that is there after all is found by the other role, each by its own check (LC-03)."""
    name, statement = SPOILS[spoil]
    record_id, day = await payment(clients, await member(clients)), date(2002, 3, 5)
    await move_event(log, record_id, day, "R-09b")
    plan = Plan(clients, "R-09b", day)
    await plan.prepare()
    await plan.execute()
    before: Any = await plan.verify()
    assert before.clean
    assert "kept ciphertext that still decrypts" in [check.name for check in before.checks]
    await change(log, statement, UUID(record_id))
    after = await plan.verify()
    assert not after.clean
    assert [(check.name, check.left) for check in after.checks if not check.passed] == [(name, 1)]
    await change(log, "DELETE FROM record WHERE record_id = $1", UUID(record_id))
    await change(log, "DELETE FROM record_basis WHERE record_id = $1", UUID(record_id))
    await change(log, "DELETE FROM record_field WHERE record_id = $1", UUID(record_id))


async def test_the_proof_of_a_consent_ends_after_its_withdrawal(clients: Clients, log: Log) -> None:
    """R-15: a consent withdrawn long ago goes; one that lives has no end, and another's withdrawal is not its own."""
    member_id, day = await member(clients), date(2002, 6, 7)
    for name in ("marketing", "inquiry_retention"):
        await give(clients, member_id, name)
    await end(clients, member_id, "inquiry_retention")
    await change(log, "UPDATE consent SET withdrawn_on = $2 WHERE member_id = $1 AND withdrawn_on IS NOT NULL",
                 UUID(member_id), day)  # fmt: skip
    assert await destroyed(clients, "R-15", day - timedelta(days=1)) == {}
    assert await destroyed(clients, "R-15", day) == {"consent": 1}
    left = await log.fetch("identity", "SELECT name FROM consent WHERE member_id = $1", UUID(member_id))
    assert [row["name"] for row in left] == ["marketing"]
