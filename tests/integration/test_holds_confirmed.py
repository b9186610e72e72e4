"""ConfirmHolds at each holder: what is not as the register says is set right, and a contradiction is refused."""

from typing import Any
from uuid import UUID

import grpc
import pytest
from onggi.purge.v1 import purge_service_pb2 as purge

from dev.stack import Stack
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.holding import ARTICLE, HOLDERS, WHY, Hold
from tests.integration.log_rows import Log, session
from tests.integration.memberships import append, before, payment, today
from tests.integration.purges import PURGE, change

pytestmark = pytest.mark.timeout(120)

_ROW = "SELECT member_id, record_id, article, placed_on, released, xmin FROM legal_hold WHERE hold_id = $1"


def standing(hold: Hold, placed_on: str = "") -> purge.StandingHold:
    """The hold as the register has it."""
    whose = {"member_id": hold.member_id} if hold.member_id else {"record_id": hold.record_id}
    return purge.StandingHold(hold_id=hold.hold_id, article=ARTICLE, placed_on=placed_on or str(today()), **whose)


async def confirm(
    clients: Clients, holder: str, *holds: purge.StandingHold, released: tuple[Hold, ...] = ()
) -> Outcome:  # fmt: skip
    """ConfirmHolds."""
    over = [purge.ReleasedHold(hold_id=hold.hold_id) for hold in released]
    request = purge.ConfirmHoldsRequest(access=WHY, standing=holds, released=over)
    return await clients.call("retention", f"{PURGE}/ConfirmHolds", request, service=holder)


async def row_of(log: Log, holder: str, hold: Hold) -> Any:
    """What the holder has of it, or None."""
    rows = await log.fetch(holder, _ROW, UUID(hold.hold_id))
    return tuple(rows[0]) if rows else None


@pytest.mark.parametrize("holder", HOLDERS)
async def test_what_is_missing_comes_and_what_is_over_goes(clients: Clients, log: Log, holder: str) -> None:
    """LC-13: after the answer, it is here as the register says; a hold that it does not name, or never was here, is none."""
    kept, lost, leftover, unnamed, never = (Hold.of(clients, member_id=examples.new_id()) for _ in range(5))
    for hold in (kept, leftover, unnamed):
        await hold.set(holder)
    was = [await row_of(log, holder, hold) for hold in (kept, unnamed)]

    for _ in range(2):
        assert (
            await confirm(clients, holder, standing(kept), standing(lost), released=(leftover, never))
        ).code is grpc.StatusCode.OK
        assert [await row_of(log, holder, hold) for hold in (kept, unnamed)] == was
        assert (await row_of(log, holder, lost))[:5] == (UUID(lost.member_id), None, ARTICLE, today(), False)
        assert (await row_of(log, holder, leftover))[:5] == (None, None, ARTICLE, today(), True)
        assert await row_of(log, holder, never) is None
    for hold in (kept, lost, unnamed):
        await hold.release(holder)


@pytest.mark.parametrize("holder", HOLDERS)
async def test_what_contradicts_the_register_is_refused_whole(clients: Clients, log: Log, holder: str) -> None:
    """LC-13: a hold that is another one here, or that this holder has let go of, is not confirmed; nothing else changes."""
    let_go, other, lost = (Hold.of(clients, member_id=examples.new_id()) for _ in range(3))
    await let_go.set(holder)
    await let_go.release(holder)
    await other.set(holder)
    stranger = Hold(clients, other.hold_id, member_id=examples.new_id())
    for wrong in (let_go, stranger):
        outcome = await confirm(clients, holder, standing(lost), standing(wrong))
        assert (outcome.code, outcome.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "HOLD_STATE")
        assert await row_of(log, holder, lost) is None
    outcome = await confirm(clients, holder, standing(lost), standing(lost, placed_on="2026-02-30"))
    assert outcome.violations == [("standing[1].placed_on", "date")]
    await other.release(holder)


async def test_the_processing_log_says_whose_data_is_held_again(clients: Clients, log: Log) -> None:
    """LG-01: the entry names the members whose hold has come back or gone, also by a record's id."""
    members = [(await examples.new_member(clients)).member_id for _ in range(2)]
    (lost, leftover), record_ids = members, []
    for member_id in members:
        record_ids += await append(clients, payment(member_id, before(2)))
    missing, over = (Hold.of(clients, record_id=record_id) for record_id in record_ids)
    await over.set("identity")

    row = await log.one_row_of(await confirm(clients, "identity", standing(missing), released=(over,)))

    assert (row["action"], row["purpose"], row["status"]) == ("HOLD", "legal_hold", "OK")
    assert {str(subject) for subject in row["subject_ids"]} == {lost, leftover}
    assert set(row["resource_ids"]) == {missing.hold_id, missing.record_id, over.hold_id}
    await missing.release("identity")


async def test_a_batch_that_is_right_waits_for_nobody(stack: Stack, clients: Clients, log: Log) -> None:
    """It is read and no lock is taken, so that a full batch is confirmed while somebody destroys."""
    holds = [Hold.of(clients, record_id=examples.new_id()) for _ in range(500)]
    full = [standing(hold) for hold in holds]
    assert (await confirm(clients, "archive", *full)).code is grpc.StatusCode.OK
    async with session(stack.postgres.login("archive", "archive")) as destroying, destroying.transaction():
        await destroying.execute("LOCK TABLE legal_hold IN SHARE MODE")
        assert (await confirm(clients, "archive", *full)).code is grpc.StatusCode.OK
    ids = [UUID(hold.hold_id) for hold in holds]
    await change(log, "DELETE FROM legal_hold WHERE hold_id = ANY($1)", ids, database="archive")
