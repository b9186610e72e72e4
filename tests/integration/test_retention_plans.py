"""Plans through the RetentionService: what is fixed, who approves, what a repeated request gives."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from onggi.retention.v1 import retention_service_pb2 as api
from sqlalchemy import Connection, inspect, text

from chassis.kst import event_date
from chassis.policy.calendar import due
from chassis.policy.duration import Period
from dev.stack import Stack
from services.retention import tables
from services.retention.holders import reason_of
from services.retention.plan import utc_now
from tests.integration import retention_rig
from tests.integration.retention_rig import OFFICER, OPERATOR, POLICY, WHY, Rig, rig, three_holders

pytestmark = pytest.mark.timeout(60)
stack = retention_rig.stack

REQUESTER = "spiffe://onggi/ns/staff/sa/retention-operator"


async def refused(call: object) -> str:
    """Await a call that must be refused and return the reason."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    return reason_of(caught.value)


async def test_a_plan_fixes_what_is_due_at_every_holder(stack: Stack) -> None:
    """R-01 and R-03 are due at once, R-12 after three months; R-03's subjects are those of R-01 (R-01, R-03, R-12)."""
    async with rig(stack, three_holders(members=3, days=2, rows=500)) as running:
        plan = await running.plan("R-01", "R-12")

        today = event_date(utc_now())
        through = [today, today, due(Period(months=3), today)]
        assert ["R-01", "R-03", "R-12"] == [part.category for part in plan.parts]
        assert [day.isoformat() for day in through] == [part.through for part in plan.parts]
        assert [3, 3, 2] == [part.units for part in plan.parts]
        assert [3, 6, 1000] == [part.planned[0].rows for part in plan.parts]
        assert running.identity.sets[plan.plan_id, "R-01"].units == running.vault.sets[plan.plan_id, "R-03"].units
        assert REQUESTER == plan.requested_by


async def test_a_plan_has_every_category_at_every_holder_that_the_policy_names(stack: Stack) -> None:
    """One part for each, in the policy's order: what moved to the archive ends there like what stayed (LC-05, LC-07)."""
    async with rig(stack, three_holders(members=1, records=2)) as running:
        plan = await running.plan()

        held = {
            (name, holder) for name, row in POLICY.retention.categories.items() if not row.requires
            for holder in row.holders
        }  # fmt: skip
        assert held == {(part.category, part.holder) for part in plan.parts}
        assert ["R-01", "R-03"] == [part.category for part in plan.parts[:2]]
        assert {"identity", "archive"} == {part.holder for part in plan.parts if part.category == "R-09b"}
        asked = {request.category for request, _ in running.archive.of("PreparePurge", plan.plan_id)}
        assert {name for name, holder in held if holder == "archive"} | {*POLICY.retention.brought_by_holds()} == asked


async def test_subjects_are_passed_on_page_by_page(stack: Stack) -> None:
    """Every page of one holder's subjects reaches the other, and the counts are over all pages (R-03)."""
    async with rig(stack, three_holders(members=23, page=10)) as running:
        plan = await running.plan("R-01")

        pages = [len(request.subject_ids) for request, _ in running.vault.of("PreparePurge", plan.plan_id)]
        assert [10, 10, 3] == pages
        assert [23, 23] == [part.units for part in plan.parts]


async def test_what_laws_contradict_on_stands_in_the_plan_and_is_no_unit(stack: Stack) -> None:
    """R-25: a holder tells it once, with the first of its pages; it counts for no forecast and stays with the plan."""
    async with rig(stack, three_holders(records=23, page=10)) as running:
        running.identity.categories["R-09b"].conflicts = 5000
        plan = await running.plan("R-09b")

        assert 3 == len(running.identity.of("PreparePurge", plan.plan_id))
        assert not plan.exceeds_forecast
        for told in (plan, await running.get(plan.plan_id)):
            parts = {part.holder: (part.units, part.conflicts) for part in told.parts}
            assert {"identity": (23, 5000), "archive": (0, 0)} == parts


async def test_no_subject_id_is_stored(stack: Stack) -> None:
    """Retention passes ids of subjects on and keeps none: none of its tables holds one (R-03, LC-08)."""
    async with rig(stack, three_holders(members=5)) as running:
        await running.plan()
        subjects = running.identity.categories["R-01"].due
        async with running.process.auditor.connect() as connection:
            for name in ("plan", "plan_part", "certificate", "schedule_run", "processing_log", "idempotency"):
                rows = (await connection.scalars(text(f"SELECT to_jsonb(t)::text FROM {name} AS t"))).all()
                assert not [subject for subject in subjects if subject in "".join(rows)]


async def test_within_the_forecast_a_plan_is_approved_at_once(stack: Stack) -> None:
    """What is no larger than the forecast needs no person."""
    async with rig(stack, three_holders(members=20, days=10, rows=100)) as running:
        plan = await running.plan()

        assert api.PLAN_STATE_APPROVED == plan.state
        assert "forecast" == plan.approved_by
        assert not plan.exceeds_forecast


async def test_nothing_due_is_a_plan_of_zero_units(stack: Stack) -> None:
    """Who asks is answered, also where nothing is due; payment_vault is asked all the same."""
    async with rig(stack, three_holders()) as running:
        plan = await running.plan()

        assert api.PLAN_STATE_APPROVED == plan.state
        assert {0} == {part.units for part in plan.parts}
        assert 1 == len(running.vault.of("PreparePurge", plan.plan_id))


async def test_above_the_forecast_another_person_approves(stack: Stack) -> None:
    """The requester is refused, another person is not, and only then can the plan be executed (four eyes)."""
    async with rig(stack, three_holders(days=11, rows=100)) as running:
        plan = await running.plan()

        assert api.PLAN_STATE_PLANNED == plan.state
        assert plan.exceeds_forecast
        assert "PLAN_STATE" == await refused(running.execute(plan))
        assert "SELF_APPROVAL" == await refused(running.approve(plan, OPERATOR))
        approved = await running.approve(plan, OFFICER)
        assert api.PLAN_STATE_APPROVED == approved.state
        assert "spiffe://onggi/ns/staff/sa/privacy-officer" == approved.approved_by
        assert "PLAN_STATE" == await refused(running.approve(plan, OFFICER))


async def test_more_records_than_the_forecast_wait_for_a_person(stack: Stack) -> None:
    """Records are counted as units at one holder, beside members and rows of log-like records (R-09b)."""
    async with rig(stack, three_holders(records=11), records=10) as running:
        assert api.PLAN_STATE_PLANNED == (await running.plan("R-09b")).state
        assert api.PLAN_STATE_APPROVED == (await running.plan("R-09c")).state


async def test_the_database_refuses_a_self_approval_too(stack: Stack) -> None:
    """What the service promises holds where a defect of the service would pass it by."""
    async with rig(stack, three_holders(days=11, rows=100)) as running:
        plan = await running.plan()
        with pytest.raises(Exception, match="plan_approver_is_another"):
            async with running.process.engine.begin() as connection:
                await connection.execute(
                    text("UPDATE plan SET approved_by = requested_by WHERE plan_id = CAST(:plan AS uuid)"),
                    {"plan": plan.plan_id},
                )


async def test_approval_is_bound_to_the_digest(stack: Stack) -> None:
    """Who approves another digest than the plan's has reviewed something else."""
    async with rig(stack, three_holders(members=21)) as running:
        plan = await running.plan()

        assert "PLAN_CHANGED" == await refused(running.approve(plan, digest="0" * 64))
        assert api.PLAN_STATE_PLANNED == (await running.get(plan.plan_id)).state


async def test_the_same_request_id_gives_the_same_plan(stack: Stack) -> None:
    """A repeated request is answered with its plan, the same id with other content is refused (AIP-155)."""
    async with rig(stack, three_holders(members=2)) as running:
        request_id = str(uuid4())
        first = await running.plan(request_id=request_id)
        running.identity.categories["R-01"].due.append(str(uuid4()))

        assert first == await running.plan(request_id=request_id)
        assert "REQUEST_ID_REUSED" == await refused(running.plan("R-12", request_id=request_id))


async def test_a_plan_that_a_holder_has_failed_is_gone_on_with(stack: Stack) -> None:
    """The plan stands in PREPARING; the same request goes on under a higher epoch, for the same day."""
    async with rig(stack, three_holders(members=2)) as running:
        request_id = str(uuid4())
        running.vault.down = True
        assert "HOLDER_UNAVAILABLE" == await refused(running.plan(request_id=request_id))
        [waiting] = [p for p in await newest(running) if p.state == api.PLAN_STATE_PREPARING]
        assert "PLAN_STATE" == await refused(running.execute(waiting))

        running.vault.down = False
        running.now = utc_now() + timedelta(days=3)
        plan = await running.plan(request_id=request_id)

        assert waiting.plan_id == plan.plan_id
        assert [event_date(utc_now()).isoformat()] == [part.through for part in plan.parts if part.category == "R-01"]
        epochs = [request.epoch for request, _ in running.identity.of("PreparePurge", plan.plan_id)]
        assert sorted(epochs) == epochs
        assert epochs[-1] > epochs[0]


async def newest(running: Rig) -> list[api.Plan]:
    """The newest plans."""
    return list((await running.stub().ListPlans(api.ListPlansRequest(access=WHY, page_size=5))).plans)


async def test_plans_are_listed_newest_first_page_by_page(stack: Stack) -> None:
    """Every plan is on one page, in the order of time (AIP-158)."""
    async with rig(stack, three_holders()) as running:
        made = [(await running.plan("R-12")).plan_id for _ in range(3)]
        seen: list[str] = []
        token = ""
        while len(seen) < len(made):
            answer = await running.stub().ListPlans(api.ListPlansRequest(access=WHY, page_size=1, page_token=token))
            seen += [plan.plan_id for plan in answer.plans]
            token = answer.next_page_token
        assert made[::-1] == seen


async def test_unknown_plans_and_categories_are_refused(stack: Stack) -> None:
    """Each has its own reason."""
    async with rig(stack, three_holders(members=1)) as running:
        nobody = str(uuid4())
        watch = running.stub().WatchPlan(api.WatchPlanRequest(access=WHY, plan_id=nobody))
        for unplanned in ("R-99", "R-13", "R-25"):  # no row; nobody holds it; not in force for this owner
            assert "CATEGORY_UNKNOWN" == await refused(running.plan(unplanned))
        assert "PLAN_NOT_FOUND" == await refused(running.get(nobody))
        assert "PLAN_NOT_FOUND" == await refused(running.execute(api.Plan(plan_id=nobody)))
        assert "PLAN_NOT_FOUND" == await refused(running.certificate(nobody))
        assert "PLAN_NOT_FOUND" == await refused(watch.read())
        assert "CERTIFICATE_NOT_READY" == await refused(running.certificate((await running.plan()).plan_id))


async def test_asking_is_recorded_with_the_plan(stack: Stack) -> None:
    """The approval and the refused self-approval stand in the processing log, with who and why (LG-01)."""
    async with rig(stack, three_holders(members=21)) as running:
        plan = await running.plan()
        await refused(running.approve(plan, OPERATOR))
        await running.approve(plan)

        rows = await running.entries(plan.plan_id)
        assert [("APPROVE", "PERMISSION_DENIED"), ("APPROVE", "OK")] == [(row.action, row.status) for row in rows]
        assert {"a test"} == {row.reason for row in rows}


def columns_of(connection: Connection, table: str) -> list[Any]:
    """The columns of a table in the database."""
    return list(inspect(connection).get_columns(table))


async def test_tables_are_as_the_migrations_make_them(stack: Stack) -> None:
    """The tables in the code and in the database have the same columns, and the service cannot rewrite its register."""
    async with rig(stack, three_holders()) as running, running.process.auditor.connect() as connection:
        for name, table in tables.metadata.tables.items():
            columns = await connection.run_sync(columns_of, name)
            assert {column["name"] for column in columns} == set(table.columns.keys())
        for register, right in [("certificate", "UPDATE"), ("certificate", "DELETE"), ("plan", "DELETE")]:
            has = text("SELECT has_table_privilege('retention', CAST(:table AS text), :right)")
            assert await connection.scalar(has, {"table": register, "right": right}) is False
