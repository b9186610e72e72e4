"""A holder that was restored from a backup, and its legal holds (LC-13).

The restore is played on the one table that matters here: the superuser takes out the hold that was placed after the backup,
or puts back the one that was released after it. All else is the services as they run, over the wire.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import NamedTuple
from uuid import UUID

import grpc
import pytest
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.retention.v1 import hold_service_pb2 as api
from onggi.retention.v1 import retention_service_pb2 as retention

from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import append, before, give, moved, partnership, payment, purge, today, withdraw
from tests.integration.purges import change

pytestmark = pytest.mark.timeout(180)

HOLDS = "onggi.retention.v1.HoldService"
WHY = AccessContext(purpose="legal_hold", reason="a test")
LONG_AGO = date(1962, 1, 1)
OK = grpc.StatusCode.OK
_MOVE = "UPDATE record_basis SET event_date = $2 WHERE record_id = ANY($1) AND event_date IS NOT NULL"

Ids = tuple[UUID, UUID]
"""Of two things that are due: one to be held, and its neighbour."""


async def place(clients: Clients, **of: str) -> str:
    """PlaceHold by the privacy officer; the hold's id. It stands at every holder."""
    request = examples.hold(**of)
    request.review_on = today().isoformat()
    outcome = await clients.call("privacy-officer", f"{HOLDS}/PlaceHold", request)
    assert outcome.message.hold.state == api.HOLD_STATE_STANDING
    hold_id: str = outcome.message.hold.hold_id
    return hold_id


async def release(clients: Clients, hold_id: str) -> None:
    """ReleaseHold by another person."""
    request = api.ReleaseHoldRequest(access=WHY, request_id=examples.new_id(), hold_id=hold_id)
    outcome = await clients.call("retention-operator", f"{HOLDS}/ReleaseHold", request)
    assert outcome.message.hold.state == api.HOLD_STATE_RELEASED


async def proposals(clients: Clients, log: Log) -> Ids:
    """Two partnership inquiries at identity whose R-06 is over."""
    member_id = (await examples.new_member(clients)).member_id
    assert (await give(clients, member_id, "partnership_retention")).code is OK
    kept, gone = map(UUID, await append(clients, *(partnership(member_id, before(2)) for _ in range(2))))
    await change(log, _MOVE, [kept, gone], LONG_AGO)
    return kept, gone


async def payments(clients: Clients, log: Log) -> Ids:
    """Two payments in the archive of which every basis is over."""
    member_id = (await examples.new_member(clients)).member_id
    kept, gone = map(UUID, await append(clients, *(payment(member_id, before(2)) for _ in range(2))))
    assert (await withdraw(clients, member_id)).code is OK
    await moved(log, [kept, gone])
    await change(log, _MOVE, [kept, gone], LONG_AGO, database="archive")
    return kept, gone


async def leavers(clients: Clients, log: Log) -> Ids:
    """Two members with a token each at the vault, who have left."""
    members = [(await examples.new_member(clients)).member_id for _ in range(2)]
    for member_id in members:
        await examples.new_token(clients, member_id)
        assert (await withdraw(clients, member_id)).code is OK
    kept, gone = map(UUID, members)
    return kept, gone


class Case(NamedTuple):
    """A holder, how two things come there, where they are found, and the categories of the plan that takes them."""

    holder: str
    made: Callable[[Clients, Log], Awaitable[Ids]]
    table: str
    column: str
    categories: tuple[str, ...]


CASES = [
    Case("identity", proposals, "record", "record_id", ("R-06",)),
    Case("archive", payments, "record", "record_id", ("R-09b", "R-10", "R-11")),
    Case("payment_vault", leavers, "token", "member_id", ("R-01", "R-03")),
]


@pytest.mark.parametrize("case", CASES, ids=[case.holder for case in CASES])
async def test_a_plan_finds_the_holds_that_the_register_has(clients: Clients, log: Log, case: Case) -> None:
    """LC-13: a hold that a backup did not have yet keeps what it covers; one that it still had is over, and keeps nothing."""
    holder, column = case.holder, case.column
    kept, gone = await case.made(clients, log)
    hold_id = await place(clients, **{column: str(kept)})
    await change(log, "DELETE FROM legal_hold WHERE hold_id = $1", UUID(hold_id), database=holder)

    async def left() -> set[UUID]:
        rows = await log.fetch(holder, f"SELECT {column} FROM {case.table} WHERE {column} = ANY($1)", [kept, gone])
        return {row[column] for row in rows}

    plan = await purge(clients, *case.categories)
    assert plan.state == retention.PLAN_STATE_CERTIFIED, plan.trouble
    assert await left() == {kept}
    assert sum(part.held for part in plan.parts if part.holder == holder) >= 1
    [row] = await log.fetch(holder, f"SELECT {column}, released FROM legal_hold WHERE hold_id = $1", UUID(hold_id))
    assert (row[column], row["released"]) == (kept, False)

    await release(clients, hold_id)
    again = f"UPDATE legal_hold SET released = false, {column} = $2 WHERE hold_id = $1"
    await change(log, again, UUID(hold_id), kept, database=holder)
    plan = await purge(clients, *case.categories)
    assert plan.state == retention.PLAN_STATE_CERTIFIED, plan.trouble
    assert await left() == set()
    [row] = await log.fetch(holder, "SELECT * FROM legal_hold WHERE hold_id = $1", UUID(hold_id))
    assert (row["released"], row["member_id"], row["record_id"]) == (True, None, None)
