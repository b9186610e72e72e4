"""The daily plan: once a Korean day, caught up when it was missed, executed at once within the forecast."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from onggi.retention.v1 import retention_service_pb2 as api
from sqlalchemy import text
from structlog.testing import capture_logs

from chassis.kst import KST
from chassis.policy.calendar import due
from chassis.policy.duration import Period
from dev.stack import Stack
from services.retention.plan import utc_now
from services.retention.refusals import HolderUnavailable
from tests.integration import retention_rig
from tests.integration.retention_rig import Rig, rig, three_holders

pytestmark = pytest.mark.timeout(60)
stack = retention_rig.stack

RETENTION = "spiffe://onggi/ns/onggi/sa/retention"
FIRST = utc_now().astimezone(KST).date() + timedelta(days=2)
WEEKS = count()


@pytest.fixture
async def running(stack: Stack) -> AsyncIterator[Rig]:
    """The service with one member to destroy, at 00:10 KST of a day that no other test has had."""
    async with rig(stack, three_holders(members=1)) as started:
        started.now = datetime.combine(FIRST + timedelta(weeks=next(WEEKS)), time(0, 10), KST)
        yield started


async def runs(running: Rig, day: datetime | None) -> list[Any]:
    """The rows of one day, or of all."""
    async with running.process.auditor.connect() as connection:
        rows = (await connection.execute(text("SELECT * FROM schedule_run ORDER BY day"))).all()
    return [row for row in rows if day is None or row.day == day.date()]


async def test_the_days_plan_is_made_and_executed_within_the_forecast(running: Rig) -> None:
    """Nobody asks and nobody approves: the plan is the service's own, and it ends with a certificate (LC-01)."""
    assert running.now is not None
    await running.schedule.look()
    [run] = await runs(running, running.now)
    plan = await running.get(str(run.plan_id))

    assert api.PLAN_STATE_DESTROYING == plan.state
    assert (RETENTION, "forecast") == (plan.requested_by, plan.approved_by)
    today = running.now.date()
    through = {part.category: part.through for part in plan.parts}
    expected = {"R-01": today, "R-03": today, "R-12": due(Period(months=3), today)}
    assert {name: day.isoformat() for name, day in expected.items()}.items() <= through.items()
    await running.worker.look()
    assert api.PLAN_STATE_CERTIFIED == (await running.get(plan.plan_id)).state


async def test_the_plan_of_the_schedule_is_in_the_processing_log(running: Rig) -> None:
    """A job's plan is recorded as the job's, and the holders are called under its trace (LG-01)."""
    await running.schedule.look()
    [run] = await runs(running, running.now)

    [row] = [row for row in await running.entries(str(run.plan_id)) if row.action == "PLAN"]
    assert ("onggi.retention.v1.RetentionService/PlanPurge", "ACCESS", "OK") == (row.rpc_method, row.phase, row.status)
    assert (RETENTION, "JOB", "destruction") == (row.actor, row.actor_type, row.purpose)
    for _, metadata in running.vault.of("PreparePurge", str(run.plan_id)):
        assert f"00-{row.trace_id}-{row.span_id}-01" == metadata["traceparent"]


async def test_a_day_without_a_plan_tells_of_what_laws_contradict_on(running: Rig) -> None:
    """R-25: nothing is due, so there is no plan; the log has a warning every day until a person has decided."""
    assert running.now is not None
    running.identity.categories["R-01"].due.clear()
    running.archive.categories["R-10"].conflicts = 2
    with capture_logs() as lines:
        await running.schedule.look()
    [run] = await runs(running, running.now)

    assert run.plan_id is None
    [told] = [line for line in lines if line["log_level"] == "warning"]
    assert ("R-10", "archive", 2) == (told["category"], told["holder"], told["conflicts"])


async def test_a_day_is_planned_once(running: Rig) -> None:
    """Whoever looks again, and however many at once: one row, one plan."""
    assert running.now is not None
    await asyncio.gather(*(running.schedule.look() for _ in range(4)))
    running.now += timedelta(hours=20)
    running.identity.categories["R-01"].due.append("11111111-1111-4111-8111-111111111111")
    await running.schedule.look()

    [run] = await runs(running, running.now)
    assert 1 == len({request.plan_id for _, request, _ in running.identity.calls})
    assert run.plan_id is not None


async def test_nothing_happens_before_the_time_of_the_day(running: Rig) -> None:
    """At 00:09 in Seoul the day before is the one to plan; the day itself begins at 00:10."""
    assert running.now is not None
    day = running.now
    running.now = day - timedelta(minutes=1)
    await running.schedule.look()
    assert [] == await runs(running, day)
    assert 1 == len(await runs(running, day - timedelta(days=1)))

    running.now = day
    await running.schedule.look()
    assert 1 == len(await runs(running, day))


async def test_a_missed_day_is_caught_up(running: Rig) -> None:
    """Two days without a service: the next look plans for the latest day, at whatever hour, and all that is due by then."""
    assert running.now is not None
    await running.schedule.look()
    first = running.now
    running.now = first + timedelta(days=3, hours=9)
    await running.schedule.look()

    days = [row.day for row in await runs(running, None) if row.day >= first.date()]
    assert [first.date(), running.now.date()] == days
    requests = [request.through for name, request, _ in running.identity.calls if name == "PreparePurge"]
    assert running.now.date().isoformat() in requests


async def test_nothing_due_leaves_a_row_and_no_plan(running: Rig) -> None:
    """The register of days says that it was looked, and there is no empty plan."""
    running.identity.categories["R-01"].due.clear()
    await running.schedule.look()

    [run] = await runs(running, running.now)
    assert run.plan_id is None
    assert run.finished_at is not None


async def test_above_the_forecast_the_days_plan_waits_for_a_person(running: Rig) -> None:
    """It is not executed; any person may approve it, since the requester is no person."""
    running.identity.categories["R-01"].due += [f"00000000-0000-4000-8000-{n:012}" for n in range(20)]
    await running.schedule.look()
    [run] = await runs(running, running.now)
    plan = await running.get(str(run.plan_id))

    assert api.PLAN_STATE_PLANNED == plan.state
    await running.worker.look()
    assert {"DUE": 21} == running.identity.states(plan.plan_id, "R-01")
    assert api.PLAN_STATE_APPROVED == (await running.approve(plan)).state


async def test_a_day_that_a_holder_has_failed_is_tried_again(running: Rig) -> None:
    """The day stays open and its failure is recorded; the next attempt has the same plan and a higher epoch."""
    running.vault.down = True
    with pytest.raises(HolderUnavailable):
        await running.schedule.look()
    [run] = await runs(running, running.now)
    assert run.finished_at is None
    row = (await running.entries(str(run.plan_id)))[-1]
    assert ("OUTCOME", "UNAVAILABLE", "HOLDER_UNAVAILABLE") == (row.phase, row.status, row.error_reason)

    running.vault.down = False
    await running.schedule.look()
    [again] = await runs(running, running.now)
    assert (run.plan_id, run.epoch + 1) == (again.plan_id, again.epoch)
    assert again.finished_at is not None
    await running.worker.look()
    assert api.PLAN_STATE_CERTIFIED == (await running.get(str(run.plan_id))).state


async def test_what_lies_before_the_installation_was_not_missed(stack: Stack) -> None:
    """A service that is installed at noon does not plan this morning's day."""
    async with rig(stack, three_holders(members=1)) as running:
        running.now = utc_now().astimezone(KST).replace(hour=0, minute=0, second=0) + timedelta(minutes=9)
        await running.schedule.look()
        assert [] == running.identity.calls
