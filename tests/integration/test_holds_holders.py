"""Legal holds at the holders (보존 조치, LC-13): what they keep from every purge, when they count, and how they end."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import grpc
import pytest
from onggi.purge.v1 import purge_service_pb2 as purge

from dev.stack import Stack
from tests.integration import examples, purges
from tests.integration.clients import Clients
from tests.integration.holding import HOLDERS, Hold
from tests.integration.log_rows import Log, session
from tests.integration.memberships import append, before, give, partnership, withdraw
from tests.integration.purges import PURGE, Plan, change, fields_of, rows

pytestmark = pytest.mark.timeout(120)

CONTACTS = "onggi.identity.v1.ContactService"
OK = grpc.StatusCode.OK


async def proposals(clients: Clients, log: Log, day: date, number: int) -> tuple[str, Sequence[str]]:
    """A member with so many partnership inquiries, whose review ended on a day that no other test uses."""
    member_id = (await examples.new_member(clients)).member_id
    assert (await give(clients, member_id, "partnership_retention")).code is OK
    ids = await append(clients, *(partnership(member_id, before(2)) for _ in range(number)))
    await change(log, "UPDATE record_basis SET event_date = $2 WHERE record_id = ANY($1)", [UUID(i) for i in ids], day)
    return member_id, ids


async def execute(plan: Plan) -> Any:
    """Prepare and execute once; the answer."""
    await plan.prepare()
    return await plan.execute()


@pytest.mark.parametrize("holder", HOLDERS)
async def test_a_hold_is_set_once_and_released_once(clients: Clients, log: Log, holder: str) -> None:
    """LC-13: repeated it is the same; another one under its id is refused; released it never stands again.

    What is left of it then names nobody.
    """
    hold, row = Hold.of(clients, member_id=examples.new_id()), "SELECT * FROM legal_hold WHERE hold_id = $1"
    for _ in range(2):
        await hold.set(holder)
    other = await Hold(clients, hold.hold_id, record_id=examples.new_id()).ask(holder)
    assert (other.code, other.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "HOLD_STATE")
    [[*_, released]] = await log.fetch(holder, row, UUID(hold.hold_id))
    assert not released
    for _ in range(2):
        await hold.release(holder)
    await hold.set(holder)  # one that was under way for long
    [found] = await log.fetch(holder, row, UUID(hold.hold_id))
    assert (found["released"], found["member_id"], found["record_id"]) == (True, None, None)
    never = Hold.of(clients, record_id=examples.new_id())
    await never.release(holder)
    await never.set(holder)
    assert (await log.fetch(holder, row, UUID(never.hold_id)))[0]["released"]


async def test_a_day_that_is_none_is_refused(clients: Clients) -> None:
    """LC-13: the day of the placing is a day of the calendar."""
    outcome = await Hold.of(clients, member_id=examples.new_id()).ask("identity", placed_on="2026-02-30")
    assert (outcome.reason, outcome.violations) == ("INVALID_FIELD", [("placed_on", "date")])


async def test_a_hold_stands_in_the_processing_log(clients: Clients, log: Log) -> None:
    """LG-01: who was held, by which hold, for which purpose; of a record, whose it is, where its holder is asked."""
    member_id, [record_id] = await proposals(clients, log, before(2), 1)
    of_record = Hold.of(clients, record_id=record_id)
    for hold in (Hold.of(clients, member_id=member_id), of_record):
        row = await log.one_row_of(await hold.ask("identity"))
        assert (row["action"], row["purpose"], row["status"]) == ("HOLD", "legal_hold", "OK")
        assert [str(subject) for subject in row["subject_ids"]] == [member_id]
        assert hold.hold_id in row["resource_ids"]
        await hold.release("identity")
    row = await log.one_row_of(await of_record.ask("archive", released=True))
    assert (row["subject_ids"], set(row["resource_ids"])) == ([], {of_record.hold_id, record_id})


@pytest.mark.parametrize("scope", ["member", "record"])
async def test_a_held_record_survives_the_purge_and_is_counted(clients: Clients, log: Log, scope: str) -> None:
    """LC-13, R-06: what is held stays whole and is told apart; its neighbours go. Released, the next plan takes it."""
    day = date(1961, 1, 1 if scope == "member" else 2)
    member_id, (kept, *others) = await proposals(clients, log, day, 1 if scope == "member" else 3)
    _, more = await proposals(clients, log, day, 2)
    hold = Hold.of(clients, member_id=member_id) if scope == "member" else Hold.of(clients, record_id=kept)
    await hold.set("identity")
    plan = Plan(clients, "R-06", day)

    answer = await execute(plan)

    gone = [*others, *more]
    assert (answer.held, answer.skipped, answer.remaining) == (1, 0, 0)
    assert rows(answer.destroyed)["record"] == len(gone)
    assert await fields_of(log, kept) == {"email", "body"}
    assert [await fields_of(log, record_id) for record_id in gone] == [set()] * len(gone)
    assert [check for check in (await plan.verify()).checks if not check.passed] == []
    again = await execute(Plan(clients, "R-06", day))
    assert (again.held, rows(again.destroyed)) == (1, {})
    await hold.release("identity")
    assert (await purges.destroyed(clients, "R-06", day))["record"] == 1
    assert await fields_of(log, kept) == set()


async def test_one_of_two_holds_is_enough(clients: Clients, log: Log) -> None:
    """LC-13: two authorities hold the same; while one hold stands, it is kept."""
    day = date(1961, 1, 3)
    member_id, [kept] = await proposals(clients, log, day, 1)
    first, second = Hold.of(clients, member_id=member_id), Hold.of(clients, record_id=kept)
    await first.set("identity")
    await second.set("identity")
    await first.release("identity")
    assert (await execute(Plan(clients, "R-06", day))).held == 1
    await second.release("identity")
    assert (await execute(Plan(clients, "R-06", day))).held == 0
    assert await fields_of(log, kept) == set()


async def test_a_held_member_survives_with_contacts_consents_and_tokens(clients: Clients, log: Log) -> None:
    """LC-13, R-01, R-03, R-15: of a member who has left and is held nothing goes, at no holder; another one's all goes."""
    day = date(1961, 2, 1)
    members = [(await examples.new_member(clients)).member_id for _ in range(2)]
    for member_id in members:
        await examples.new_contact(clients, member_id)
        await examples.new_token(clients, member_id)
        assert (await withdraw(clients, member_id)).code is OK
    ids = [UUID(member_id) for member_id in members]
    await change(log, "UPDATE member SET withdrawn_on = $2 WHERE member_id = ANY($1)", ids, day)
    hold = Hold.of(clients, member_id=members[0])
    await hold.set()

    identity = await execute(Plan(clients, "R-01", day))
    vault = await execute_tokens(clients, members)

    assert (identity.held, rows(identity.destroyed)["member"], rows(identity.destroyed)["contact"]) == (1, 1, 1)
    assert (vault.held, rows(vault.destroyed)["token"]) == (1, 1)
    for database, table in (("identity", "member"), ("identity", "contact"), ("payment_vault", "token")):
        left = await log.fetch(database, f"SELECT member_id FROM {table} WHERE member_id = ANY($1)", ids)
        assert [row["member_id"] for row in left] == [ids[0]], table
    await hold.release()
    assert rows((await execute(Plan(clients, "R-01", day))).destroyed)["member"] == 1
    assert rows((await execute_tokens(clients, members[:1])).destroyed)["token"] == 1


async def execute_tokens(clients: Clients, members: Sequence[str]) -> Any:
    """R-03 of these members at the vault."""
    plan = Plan(clients, "R-03", date(2026, 1, 1), "payment_vault", plan_id=examples.new_id())
    request = purge.PreparePurgeRequest(
        access=purges.WHY, plan_id=plan.plan_id, epoch=1, category="R-03", through="2026-01-01", subject_ids=members
    )
    prepared = await clients.call("retention", f"{PURGE}/PreparePurge", request, service="payment_vault")
    plan.digest = prepared.message.digest
    return await plan.execute()


@pytest.mark.parametrize("scope", ["member", "contact"])
async def test_a_held_contact_is_not_removed(clients: Clients, log: Log, scope: str) -> None:
    """LC-13: RemoveContact is refused while a hold stands, and works when it is released."""
    member_id = (await examples.new_member(clients)).member_id
    contact_id = (await examples.new_contact(clients, member_id)).contact_id
    hold = Hold.of(clients, **({"member_id": member_id} if scope == "member" else {"record_id": contact_id}))
    await hold.set("identity")

    async def remove() -> tuple[grpc.StatusCode, str]:
        request = examples.example(f"{CONTACTS}/RemoveContact")
        request.contact_id = contact_id
        outcome = await clients.call("portal", f"{CONTACTS}/RemoveContact", request)
        return outcome.code, outcome.reason

    assert await remove() == (grpc.StatusCode.FAILED_PRECONDITION, "LEGALLY_HELD")
    salt = "SELECT wrapped_salt FROM erasure_key WHERE unit = $1"
    [row] = await log.fetch("identity", salt, f"contact:{contact_id}")
    assert row["wrapped_salt"]
    await hold.release("identity")
    assert await remove() == (OK, "")


async def test_a_hold_waits_for_the_batch_that_runs(stack: Stack, clients: Clients) -> None:
    """LC-13: while somebody destroys, no hold is answered; it is answered when that is over."""
    hold = Hold.of(clients, member_id=examples.new_id())
    async with session(stack.postgres.login("identity", "identity")) as destroying:
        async with destroying.transaction():
            await destroying.execute("LOCK TABLE legal_hold IN SHARE MODE")
            setting = asyncio.create_task(hold.ask("identity"))
            await asyncio.sleep(0.3)
            assert not setting.done()
        assert (await setting).code is OK


async def test_a_batch_waits_for_the_hold_that_is_being_set(stack: Stack, clients: Clients, log: Log) -> None:
    """LC-13: a hold that is not committed yet counts: the batch waits for it and then leaves alone what it keeps."""
    day = date(1961, 3, 1)
    member_id, [kept] = await proposals(clients, log, day, 1)
    plan = Plan(clients, "R-06", day)
    await plan.prepare()
    hold = Hold.of(clients, member_id=member_id)
    async with session(stack.postgres.login("identity", "postgres")) as setting:
        await setting.execute("SET session_replication_role = replica")
        async with setting.transaction():
            await setting.execute(
                "INSERT INTO legal_hold (hold_id, member_id, article, placed_on) VALUES ($1, $2, 'a test', now())",
                UUID(hold.hold_id), UUID(member_id),
            )  # fmt: skip
            executing = asyncio.create_task(plan.execute())
            await asyncio.sleep(0.3)
            assert not executing.done()
        assert (await executing).held == 1
    assert await fields_of(log, kept) == {"email", "body"}
    await hold.release("identity")
    assert (await purges.destroyed(clients, "R-06", day))["record"] == 1


async def test_a_hold_and_a_batch_at_once(clients: Clients, log: Log) -> None:
    """LC-13: whichever is first, what is there when the hold is answered stays, and what is gone was gone before it."""
    count = "SELECT count(*) AS number FROM record WHERE record_id = $1"
    day, rounds = date(1961, 4, 1), 80
    outcomes: list[int] = []
    _, ids = await proposals(clients, log, day, 3 * rounds)
    plan = Plan(clients, "R-06", day, limit=3)
    await plan.prepare()
    for number in range(rounds):
        [[unit]] = await log.fetch(
            "identity", "SELECT unit FROM purge_item WHERE plan_id = $1 AND state = 'DUE' ORDER BY unit LIMIT 1",
            UUID(plan.plan_id),
        )  # fmt: skip

        async def execute_later(pause: float) -> Any:
            await asyncio.sleep(pause)
            return await plan.execute()

        async def hold_and_look(unit: str, pause: float) -> tuple[int, Hold]:
            await asyncio.sleep(pause)
            hold = Hold.of(clients, record_id=unit)
            await hold.set("identity")
            [[there]] = await log.fetch("identity", count, UUID(unit))
            return there, hold

        lead = (number % 9 - 6) * 0.002  # who is first is not known; on a busy machine less so
        answer, (there, hold) = await asyncio.gather(execute_later(-min(lead, 0)), hold_and_look(unit, max(lead, 0)))
        [[in_the_end]] = await log.fetch("identity", count, UUID(unit))
        assert there == in_the_end
        assert answer.held == sum(outcomes) + there
        assert len(await fields_of(log, unit)) == 2 * there
        outcomes.append(there)
        await hold.release("identity")
    assert 0 < sum(outcomes) < rounds, "both orders have come about"
    left = (await purges.destroyed(clients, "R-06", day)).get("record", 0)
    assert left == sum(outcomes)
    assert len(ids) == 3 * rounds
