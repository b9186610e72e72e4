"""No holder destroys before it has confirmed what legal holds stand; a plan waits for one that cannot (LC-13)."""

from typing import Any

import grpc.aio
import pytest
from onggi.retention.v1 import hold_service_pb2 as hold_api
from onggi.retention.v1 import retention_service_pb2 as api
from sqlalchemy import text

from chassis.kst import KST
from dev.stack import Stack
from services.retention.hold_telling import BATCH
from services.retention.plan import Trouble, utc_now
from tests.integration import examples, retention_rig
from tests.integration.log_rows import session
from tests.integration.retention_holders import Holder
from tests.integration.retention_rig import OPERATOR, Rig, rig, three_holders

pytestmark = pytest.mark.timeout(60)
stack = retention_rig.stack

WHY = examples.access("legal_hold", reason="a test")
_MANY = """
INSERT INTO legal_hold (hold_id, state, record_id, authority, document_number, article, placed_on, review_on, placed_by)
SELECT gen_random_uuid(), 'STANDING', gen_random_uuid(), 'a court', 'a number', 'an article', now(), now(), 'a person'
FROM generate_series(1, $1)
"""
_OVER = """
UPDATE legal_hold SET state = 'RELEASED', record_id = NULL, member_id = NULL, released_by = 'another', released_on = now()
WHERE document_number = 'a number'
"""


async def started(running: Rig, *categories: str) -> api.Plan:
    """A plan that the worker will find."""
    return await running.execute(await running.plan(*categories))


async def finished(running: Rig, plan: api.Plan) -> api.Plan:
    """Let the worker look once and return the plan."""
    await running.worker.look()
    return await running.get(plan.plan_id)


async def place(running: Rig) -> None:
    """PlaceHold, whatever the answer."""
    request = examples.hold()
    request.review_on = utc_now().astimezone(KST).date().isoformat()
    try:
        await running.holds().PlaceHold(request)
    except grpc.aio.AioRpcError as error:
        assert error.code() is grpc.StatusCode.UNAVAILABLE


async def newest(running: Rig) -> hold_api.Hold:
    """The hold that was placed last."""
    [hold] = (await running.holds().ListHolds(hold_api.ListHoldsRequest(access=WHY, page_size=1))).holds
    found: hold_api.Hold = hold
    return found


def names(holder: Holder) -> list[str]:
    """What was called there, in order."""
    return [called for called, _, _ in holder.calls if called in {"ConfirmHolds", "ExecutePurge"}]


def confirmed(holder: Holder) -> list[Any]:
    """The parts of the register that it was given."""
    return [request for called, request, _ in holder.calls if called == "ConfirmHolds"]


async def test_a_plan_destroys_after_every_holder_has_confirmed(stack: Stack) -> None:
    """LC-13: a hold that somebody is still placing counts already, at each holder, before the first one destroys."""
    async with rig(stack, three_holders(members=3)) as running:
        running.vault.down = True
        await place(running)
        running.vault.down = False
        hold = await newest(running)
        assert (hold.state, list(hold.waiting_for)) == (hold_api.HOLD_STATE_PLACING, ["payment_vault"])

        plan = await finished(running, await started(running, "R-01"))

        assert plan.state == api.PLAN_STATE_CERTIFIED
        for holder in (running.identity, running.vault):
            assert names(holder) == ["ConfirmHolds", "ExecutePurge"]
            assert holder.holds[hold.hold_id]
            assert {request.access.purpose for request in confirmed(holder)} == {"legal_hold"}
        assert names(running.archive) == []  # it has no part in this plan


async def test_a_plan_waits_for_a_holder_that_cannot_confirm(stack: Stack) -> None:
    """LC-13: nobody destroys anything, an operator is called as for any holder that is away; executed again, it goes on."""
    async with rig(stack, three_holders(members=3)) as running:
        await place(running)
        plan = await started(running, "R-01")
        running.vault.down = True
        waiting = await finished(running, plan)
        assert (waiting.state, waiting.trouble) == (api.PLAN_STATE_NEEDS_OPERATOR, Trouble.HOLDER.value)
        assert names(running.identity) == ["ConfirmHolds"] * 3
        assert running.identity.of("ExecutePurge", plan.plan_id) == []

        running.vault.down = False
        plan = await finished(running, await running.execute(plan))
        assert plan.state == api.PLAN_STATE_CERTIFIED


async def test_a_plan_waits_while_a_holder_contradicts_the_register(stack: Stack) -> None:
    """LC-13: a holder has let go of what the register has as standing; released once more, the plan goes on."""
    async with rig(stack, three_holders(members=3)) as running:
        await place(running)
        hold = await newest(running)
        running.vault.holds[hold.hold_id] = False
        plan = await finished(running, await started(running, "R-01"))
        assert (plan.state, plan.trouble) == (api.PLAN_STATE_NEEDS_OPERATOR, Trouble.HOLDER.value)
        assert running.identity.of("ExecutePurge", plan.plan_id) == []

        request = hold_api.ReleaseHoldRequest(access=WHY, request_id=examples.new_id(), hold_id=hold.hold_id)
        await running.holds(OPERATOR).ReleaseHold(request)
        assert (await finished(running, await running.execute(plan))).state == api.PLAN_STATE_CERTIFIED


async def test_each_attempt_confirms_anew(stack: Stack) -> None:
    """LC-13: what broke an attempt off may have been a restore."""
    async with rig(stack, three_holders(members=3)) as running:
        await place(running)
        running.vault.failures = 1
        plan = await finished(running, await started(running, "R-01"))
        assert plan.state == api.PLAN_STATE_CERTIFIED
        assert names(running.vault) == ["ConfirmHolds", "ExecutePurge"] * 2


async def test_thousands_of_holds_go_in_few_messages(stack: Stack) -> None:
    """A part of the register is a message of bounded size, and each hold is in one, whether it stands or is over."""
    number = 2 * BATCH + 1
    async with rig(stack, three_holders()) as running, session(stack.postgres.login("retention", "postgres")) as owner:
        await owner.execute("SET session_replication_role = replica")
        await owner.execute(_MANY, number)
        async with running.process.engine.connect() as connection:
            known = {row.hold_id for row in await connection.execute(text("SELECT hold_id::text FROM legal_hold"))}
        for over in (False, True):
            if over:
                await owner.execute(_OVER)
            running.identity.calls.clear()
            await finished(running, await started(running, "R-01"))
            parts = confirmed(running.identity)
            assert len(parts) == -(-len(known) // BATCH)
            assert max(part.ByteSize() for part in parts) < 2**20
            told = [hold.hold_id for part in parts for hold in (*part.standing, *part.released)]
            assert (len(told), set(told)) == (len(known), known)
            assert sum(len(part.released) for part in parts) >= number * over
        await owner.execute("DELETE FROM legal_hold WHERE document_number = 'a number'")
