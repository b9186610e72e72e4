"""The execution of plans: to the certificate, or to an operator; never silently done."""

import asyncio
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from onggi.retention.v1 import retention_service_pb2 as api

from chassis.kst import KST, event_date
from chassis.policy.load import load
from dev.stack import Stack
from services.retention.plan import Trouble, utc_now
from services.retention.worker import Pace
from tests.integration import retention_rig
from tests.integration.policy_versions import with_periods
from tests.integration.retention_rig import OFFICER, POLICY, WHY, Rig, rig, three_holders

pytestmark = pytest.mark.timeout(60)
stack = retention_rig.stack

RETENTION = "spiffe://onggi/ns/onggi/sa/retention"


async def started(running: Rig, *categories: str) -> api.Plan:
    """Make a plan within the forecast and start it."""
    return await running.execute(await running.plan(*categories))


async def finished(running: Rig, plan: api.Plan) -> api.Plan:
    """Let the worker look once and return the plan."""
    await running.worker.look()
    return await running.get(plan.plan_id)


async def test_a_plan_is_destroyed_verified_and_certified(stack: Stack) -> None:
    """From the plan to the certificate, in batches, with the counts of what was destroyed (R-01, R-03, R-12)."""
    pace = Pace(batch=3, attempts=3, pause_seconds=0.01)
    async with rig(stack, three_holders(members=7, days=4, rows=9), pace=pace) as running:
        plan = await finished(running, await started(running, "R-01", "R-12"))

        assert api.PLAN_STATE_CERTIFIED == plan.state
        assert [7, 14, 36] == [part.destroyed[0].rows for part in plan.parts]
        assert [0, 0, 0] == [part.remaining for part in plan.parts]
        assert all(check.passed for part in plan.parts for check in part.checks)
        batches = [request.limit for request, _ in running.vault.of("ExecutePurge", plan.plan_id)]
        assert [3, 3, 3] == batches


async def test_what_is_held_is_counted_apart(stack: Stack) -> None:
    """LC-13: the plan comes to its end, and says, as its certificate does, how many units a hold has kept from it."""
    async with rig(stack, three_holders(members=3)) as running:
        due = running.identity.categories["R-01"].due
        running.identity.held = {due[0], due[1]}
        plan = await finished(running, await started(running, "R-01"))
        stated = json.loads((await running.certificate(plan.plan_id)).statement)

        assert api.PLAN_STATE_CERTIFIED == plan.state
        assert [(3, 2, 0), (3, 0, 0)] == [(part.units, part.held, part.skipped) for part in plan.parts]
        assert [1, 6] == [part.destroyed[0].rows for part in plan.parts]
        assert [2, 0] == [category["units_held"] for category in stated["categories"]]


async def test_the_certificate_is_canonical_and_its_signature_verifies(stack: Stack) -> None:
    """The statement's bytes are canonical JSON, signed by the key that was handed over by another way (LC-08)."""
    async with rig(stack, three_holders(members=25)) as running:
        plan = await running.plan("R-01")
        await running.approve(plan, OFFICER)
        plan = await finished(running, await running.execute(plan))
        issued = await running.certificate(plan.plan_id)

    stated = json.loads(issued.statement)
    again = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert issued.statement == again
    key = load_pem_public_key(stack.certificate_public_key.read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    key.verify(issued.signature, issued.statement)
    assert issued.public_key_pem.encode() == stack.certificate_public_key.read_bytes()
    assert "certificate-sign:v1" == issued.key_id
    assert plan.digest == stated["plan_digest"]
    assert "spiffe://onggi/ns/staff/sa/retention-operator" == stated["requested_by"]
    assert "spiffe://onggi/ns/staff/sa/privacy-officer" == stated["approved_by"]
    assert {"identity": {"member": 25}, "payment_vault": {"token": 50}} == stated["rows_destroyed"]
    assert event_date(utc_now()) + timedelta(days=35) == date.fromisoformat(stated["unrecoverable_after"])
    assert not [unit for unit in running.identity.sets[plan.plan_id, "R-01"].units if unit in issued.statement.decode()]


async def test_nothing_due_is_certified_as_nothing(stack: Stack) -> None:
    """A requested plan of zero units can be executed; its certificate says 0."""
    async with rig(stack, three_holders()) as running:
        plan = await finished(running, await started(running))
        stated = json.loads((await running.certificate(plan.plan_id)).statement)

        assert {0} == {category["units"] for category in stated["categories"]}
        rows = {
            "identity": {"login_record", "member", "record_basis"},
            "payment_vault": {"token"},
            "archive": {"record_basis"},
        }
        assert rows == {holder: set(rows) for holder, rows in stated["rows_destroyed"].items()}
        assert {0} == {number for rows in stated["rows_destroyed"].values() for number in rows.values()}


async def test_each_category_of_a_certificate_says_what_the_policy_says(stack: Stack) -> None:
    """Name, basis, article and its edition come from the policy's row, at each holder alike (LC-08, LC-09)."""
    async with rig(stack, three_holders(records=3)) as running:
        plan = await finished(running, await started(running, "R-09b"))
        stated = json.loads((await running.certificate(plan.plan_id)).statement)["categories"]

    row = POLICY.retention.categories["R-09b"]
    assert [("identity", 3), ("archive", 0)] == [(each["holder"], each["units"]) for each in stated]
    for each in stated:
        told = (each["korean"], each["basis"], each["article"], each["edition"])
        assert (row.korean, row.basis, row.law, row.edition) == told


async def test_a_plan_names_the_policy_in_force_on_its_day(stack: Stack, tmp_path: Path) -> None:
    """GV-02, LC-08: version 2 is in force from 2026-03-16 on, also where the process has run since the day before."""
    async with rig(stack, three_holders(), policy=load(with_periods(tmp_path, R_05="4 years"))) as running:
        stated = []
        for day in (15, 16):
            running.now = datetime(2026, 3, day, 12, tzinfo=KST)
            plan = await finished(running, await started(running, "R-05"))
            stated.append(json.loads((await running.certificate(plan.plan_id)).statement)["policy_version"])
    assert stated == ["1", "2"]


async def test_what_differs_by_version_is_planned_and_certified(stack: Stack, tmp_path: Path) -> None:
    """GV-02, LC-08: a longer period's earlier cut-off reaches every holder, the plan, its digest and the certificate."""
    policy = load(with_periods(tmp_path, R_05="4 years", R_08="2 years"))
    async with rig(stack, three_holders(), policy=policy) as running:
        running.now = datetime(2026, 11, 24, 12, tzinfo=KST)
        plan = await finished(running, await started(running, "R-05", "R-08"))
        stated = json.loads((await running.certificate(plan.plan_id)).statement)
        asked = running.archive.of("PreparePurge", plan.plan_id)

    expected = {"R-05": ("2022-11-23", {"1": "2023-11-23"}), "R-08": ("2024-11-23", {})}
    for part in (*plan.parts, *(request for request, _ in asked)):
        found = {cutoff.policy_version: cutoff.through for cutoff in part.cutoffs}
        assert expected[part.category] == (part.through, found)
    for category in stated["categories"]:
        through, cutoffs = expected[category["category"]]
        assert (through, cutoffs or None) == (category["through"], category.get("cutoffs"))
    assert [("R-05", "identity"), ("R-05", "archive"), ("R-08", "identity"), ("R-08", "archive")] == [
        (part.category, part.holder) for part in plan.parts
    ]


async def test_the_holders_are_called_under_the_trace_of_execute_plan(stack: Stack) -> None:
    """One trace: ExecutePlan is the parent of every call to a holder and of what has come of it."""
    async with rig(stack, three_holders(members=1)) as running:
        plan = await finished(running, await started(running, "R-01"))

        rows = await running.entries(plan.plan_id)
        [call] = [row for row in rows if row.rpc_method.endswith("ExecutePlan") and row.phase == "ACCESS"]
        assert plan.trace_id == call.trace_id
        for name in ("ExecutePurge", "VerifyPurge"):
            for _, metadata in running.identity.of(name, plan.plan_id) + running.vault.of(name, plan.plan_id):
                assert f"00-{call.trace_id}-{call.span_id}-01" == metadata["traceparent"]
        outcomes = [row for row in rows if row.phase == "OUTCOME"]
        assert ["PURGE", "VERIFY", "PURGE"] == [row.action for row in outcomes]
        assert {(RETENTION, "JOB", call.trace_id, call.span_id, "OK")} == {
            (row.actor, row.actor_type, row.trace_id, row.parent_span_id, row.status) for row in outcomes
        }


async def test_a_failing_holder_is_asked_again(stack: Stack) -> None:
    """Two failures are passed over, each attempt under an epoch of its own."""
    async with rig(stack, three_holders(members=2)) as running:
        running.vault.failures = 2
        plan = await finished(running, await started(running, "R-01"))

        assert api.PLAN_STATE_CERTIFIED == plan.state
        epochs = [request.epoch for request, _ in running.vault.of("ExecutePurge", plan.plan_id)]
        assert epochs == sorted(set(epochs))


async def test_a_holder_that_goes_on_failing_needs_an_operator(stack: Stack) -> None:
    """After the last attempt the plan says so, with a fixed text; another ExecutePlan goes on where it stood."""
    async with rig(stack, three_holders(members=2)) as running:
        running.vault.failures = 1000
        plan = await finished(running, await started(running, "R-01"))

        assert api.PLAN_STATE_NEEDS_OPERATOR == plan.state
        assert Trouble.HOLDER.value == plan.trouble
        assert ("UNAVAILABLE", "HOLDER_UNAVAILABLE") == await last_outcome(running, plan)
        calls = len(running.vault.of("ExecutePurge", plan.plan_id))
        await running.worker.look()
        assert calls == len(running.vault.of("ExecutePurge", plan.plan_id))

        running.vault.failures = 0
        plan = await finished(running, await running.execute(plan))
        assert api.PLAN_STATE_CERTIFIED == plan.state
        assert not plan.trouble


async def last_outcome(running: Rig, plan: api.Plan) -> Sequence[str]:
    """Status and reason of the last row about a plan's execution."""
    row = [row for row in await running.entries(plan.plan_id) if row.phase == "OUTCOME"][-1]
    return row.status, row.error_reason


async def test_without_a_clean_verification_there_is_no_certificate(stack: Stack) -> None:
    """Something left is an operator's matter, at once; the checks tell what (LC-03)."""
    async with rig(stack, three_holders(members=2)) as running:
        running.vault.left = 1
        plan = await finished(running, await started(running, "R-01"))

        assert api.PLAN_STATE_NEEDS_OPERATOR == plan.state
        assert Trouble.VERIFICATION.value == plan.trouble
        assert [True, False] == [part.checks[0].passed for part in plan.parts]
        with pytest.raises(Exception, match="no certificate yet"):
            await running.certificate(plan.plan_id)


async def test_a_holder_that_destroys_nothing_is_not_believed(stack: Stack) -> None:
    """Answers without progress end in NEEDS_OPERATOR, not in an endless loop."""
    async with rig(stack, three_holders(members=2)) as running:
        running.identity.idle = True
        plan = await finished(running, await started(running, "R-01"))

        assert (api.PLAN_STATE_NEEDS_OPERATOR, Trouble.STUCK.value) == (plan.state, plan.trouble)


async def test_a_set_that_has_grown_is_not_destroyed_on(stack: Stack) -> None:
    """A holder with more left than was planned and approved is an operator's matter, at once."""
    async with rig(stack, three_holders(members=2)) as running:
        plan = await running.plan("R-01")
        running.identity.sets[plan.plan_id, "R-01"].units |= {f"more-{n}": "DUE" for n in range(200)}
        plan = await finished(running, await running.execute(plan))

        assert (api.PLAN_STATE_NEEDS_OPERATOR, Trouble.GROWN.value) == (plan.state, plan.trouble)
        assert 1 == len(running.identity.of("ExecutePurge", plan.plan_id))


async def test_a_key_service_that_is_down_leaves_the_plan_verified(stack: Stack) -> None:
    """Without a signature there is no certificate; when the key service is back, the plan needs only that."""
    async with rig(stack, three_holders(members=2)) as running:
        started_plan = await started(running, "R-01")
        stack.openbao.process.pause()
        try:
            plan = await finished(running, started_plan)
        finally:
            stack.openbao.process.resume()
        assert (api.PLAN_STATE_NEEDS_OPERATOR, Trouble.SIGNING.value) == (plan.state, plan.trouble)

        plan = await finished(running, await running.execute(plan))
        assert api.PLAN_STATE_CERTIFIED == plan.state


async def test_two_workers_do_not_get_in_each_others_way(stack: Stack) -> None:
    """One has the claim, the other passes the plan by: every unit is destroyed under one epoch."""
    pace = Pace(batch=1, attempts=3, pause_seconds=0.01)
    async with rig(stack, three_holders(members=5), pace=pace) as running:
        running.identity.pause = 0.02
        plan = await started(running, "R-01")
        await asyncio.gather(running.worker.look(), running.worker.look(), running.worker.look())

        assert api.PLAN_STATE_CERTIFIED == (await running.get(plan.plan_id)).state
        epochs = {request.epoch for request, _ in running.identity.of("ExecutePurge", plan.plan_id)}
        assert 1 == len(epochs)


async def test_an_attempt_that_was_overtaken_changes_nothing(stack: Stack) -> None:
    """A worker that comes back late is refused by the holders and stops; the plan is not troubled by it."""
    async with rig(stack, three_holders(members=5)) as running:
        plan = await started(running, "R-01")
        running.identity.sets[plan.plan_id, "R-01"].epoch = 1_000
        plan = await finished(running, plan)

        assert (api.PLAN_STATE_DESTROYING, "") == (plan.state, plan.trouble)
        assert {"DUE": 5} == running.identity.states(plan.plan_id, "R-01")
        running.identity.sets[plan.plan_id, "R-01"].epoch = 1
        assert api.PLAN_STATE_CERTIFIED == (await finished(running, plan)).state


async def test_a_plan_is_watched_to_its_end(stack: Stack) -> None:
    """The stream tells every state and the progress between, and ends with the certificate."""
    pace = Pace(batch=2, attempts=3, pause_seconds=0.01)
    async with rig(stack, three_holders(members=6), pace=pace) as running:
        running.worker.start()
        running.identity.pause = running.vault.pause = 0.3
        plan = await running.plan("R-01")
        stream = running.stub().WatchPlan(api.WatchPlanRequest(access=WHY, plan_id=plan.plan_id), timeout=20)
        seen = []
        async for answer in stream:
            seen.append(answer.plan)
            if len(seen) == 1:
                await running.execute(plan)

        assert api.PLAN_STATE_APPROVED == seen[0].state
        assert api.PLAN_STATE_CERTIFIED == seen[-1].state
        left = [sum(part.remaining for part in each.parts) for each in seen]
        assert sorted(left, reverse=True) == left
        assert len(set(left)) > 3


async def test_watching_ends_with_the_callers_deadline(stack: Stack) -> None:
    """A plan that waits is told once, and the stream ends in time: by the service, or by the deadline, whichever is first."""
    async with rig(stack, three_holders(members=25)) as running:
        plan = await running.plan("R-01")
        request = api.WatchPlanRequest(access=WHY, plan_id=plan.plan_id)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        stream = running.stub().WatchPlan(request, timeout=1.0)
        assert plan == (await stream.read()).plan
        try:
            assert await stream.read() is grpc.aio.EOF
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert loop.time() - begun < 3.0
