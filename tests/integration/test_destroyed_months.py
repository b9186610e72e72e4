"""A month of log-like records that is destroyed and whose files are there still: unreadable, told, and finished later.

The database itself breaks the removal: an event trigger ends or holds the connection at DROP TABLE, after the commit
that has destroyed the month.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import grpc
import pytest
from onggi.purge.v1 import purge_service_pb2 as purge
from onggi.retention.v1 import retention_service_pb2 as retention

from dev.stack import Stack
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log, session
from tests.integration.purges import PURGE, WHY, Plan, destroyed, rows
from tests.integration.record_examples import append, errors_of, record

pytestmark = pytest.mark.timeout(120)

CATEGORIES = {"login": "R-12", "usage": "R-22"}
CHECK = "destroyed months not removed"
RETENTION = "onggi.retention.v1.RetentionService"
DIES, HOLDS = "pg_terminate_backend(pg_backend_pid())", "pg_sleep(60)"
HELD = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%remove_destroyed_months%'"


@asynccontextmanager
async def removal(log: Log, action: str) -> AsyncIterator[None]:
    """Have the database do something as soon as the files of a destroyed month are to be removed."""
    await log.fetch("identity", f"""
        CREATE FUNCTION at_removal() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
        $$ BEGIN IF EXISTS (SELECT 1 FROM destroyed_month) THEN PERFORM {action}; END IF; END $$""")  # fmt: skip
    await log.fetch("identity", """
        CREATE EVENT TRIGGER at_removal ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION at_removal()
        """)  # fmt: skip
    try:
        yield
    finally:
        await log.fetch("identity", "DROP EVENT TRIGGER at_removal")
        await log.fetch("identity", "DROP FUNCTION at_removal()")


async def left(log: Log) -> list[str]:
    """The months that are destroyed and whose files are there."""
    return [row["name"] for row in await log.fetch("identity", "SELECT name FROM destroyed_month ORDER BY name")]


async def until(log: Log, statement: str) -> list[Any]:
    """The rows of a statement as soon as it has any. Fails where it has none in ten seconds."""
    for _ in range(200):
        if found := await log.fetch("identity", statement):
            return found
        await asyncio.sleep(0.05)
    pytest.fail(statement)


async def one_record(clients: Clients, kind: str, day: date) -> str:
    """Add a record of a member; the member's id."""
    member_id = (await examples.new_member(clients)).member_id
    assert errors_of(await append(clients, [record(kind, member_id, day=day)])) == [("", "", "")]
    return member_id


async def execute(clients: Clients, plan: Plan) -> Outcome:
    """ExecutePurge, whatever comes of it."""
    return await clients.call("retention", f"{PURGE}/ExecutePurge", purge.ExecutePurgeRequest(
        access=WHY, plan_id=plan.plan_id, epoch=1, category=plan.category, limit=1000, digest=plan.digest,
    ), service="identity", timeout=20)  # fmt: skip


@pytest.mark.parametrize("kind", CATEGORIES)
async def test_a_removal_that_breaks_is_told_and_finished_by_the_next_call(
    stack: Stack, clients: Clients, log: Log, kind: str
) -> None:
    """R-12, R-22, LC-05: the month is destroyed for good, and verified when its files are gone and not before."""
    member_id = await one_record(clients, kind, date(2004, 3, 9))
    plan = Plan(clients, CATEGORIES[kind], date(2004, 3, 31))
    await plan.prepare()
    async with removal(log, DIES):
        outcome = await execute(clients, plan)
        told = [check for check in (await plan.verify()).checks if not check.passed]
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    assert [("ACCESS", "OK"), ("OUTCOME", "UNAVAILABLE")] == [
        (row["phase"], row["status"]) for row in await log.rows_of(outcome)
    ]
    name = f"{kind}_record_2004_03_destroyed"
    assert await left(log) == [name]
    assert [(check.name, check.left) for check in told] == [(CHECK, 1)]
    found = await log.fetch("identity", f"SELECT 1 FROM {kind}_record WHERE member_id = $1", UUID(member_id))
    salts = await log.fetch("identity", "SELECT wrapped_salt FROM erasure_key WHERE unit = $1", f"{kind}:2004-03-09")
    assert (found, [row["wrapped_salt"] for row in salts]) == ([], [None])
    for role in ("identity", "identity_auditor"):
        async with session(stack.postgres.login("identity", role)) as connection:
            for statement in (f"SELECT * FROM {name}", f"DELETE FROM {name}", f"DROP TABLE {name}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)

    answer = await plan.execute()
    assert (answer.remaining, rows(answer.destroyed)) == (0, {f"{kind}_record": 1, "erasure_key": 1})
    assert (await plan.verify()).clean
    assert await left(log) == []


async def test_a_month_that_has_come_again_is_destroyed_beside_the_files_of_the_first(
    clients: Clients, log: Log
) -> None:
    """R-22: a late record makes the month anew while the old files stand; neither is left when it is destroyed too."""
    member_id = await one_record(clients, "usage", date(2004, 5, 3))
    plan = Plan(clients, "R-22", date(2004, 5, 31))
    await plan.prepare()
    async with removal(log, DIES):
        await execute(clients, plan)
        late = record("usage", member_id, day=date(2004, 5, 20))
        await append(clients, [late])  # the service takes the month to be there still, and may be asked again
        assert errors_of(await append(clients, [late])) == [("", "", "")]
    assert await left(log) == ["usage_record_2004_05_destroyed"]
    assert await destroyed(clients, "R-22", date(2004, 5, 31)) == {"usage_record": 1, "erasure_key": 1}
    assert await left(log) == []
    assert (await plan.verify()).clean


async def test_a_process_that_is_killed_in_between_ends_the_removal_at_its_start(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """R-22: SIGKILL between the two commits; the next start removes the files without being asked."""
    await one_record(clients, "usage", date(2004, 7, 3))
    plan = Plan(clients, "R-22", date(2004, 7, 31))
    await plan.prepare()
    identity = stack.services["identity"]
    async with removal(log, HOLDS):
        call = asyncio.create_task(execute(clients, plan))
        [held] = await until(log, HELD)
        await asyncio.to_thread(identity.kill)
        assert (await call).code is grpc.StatusCode.UNAVAILABLE
        await log.fetch("identity", "SELECT pg_terminate_backend($1, 5000)", held["pid"])
        assert await left(log) == ["usage_record_2004_07_destroyed"]
    await asyncio.to_thread(identity.start)
    await until(log, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM destroyed_month)")
    assert (await plan.verify()).clean


async def test_a_purge_that_waits_for_a_reader_gives_way_to_who_comes_after_it(stack: Stack, clients: Clients) -> None:
    """R-22: somebody reads the table for long; the purge gives up in two seconds, records go on, nothing is destroyed."""
    member_id = await one_record(clients, "usage", date(2004, 11, 3))
    await append(clients, [record("usage", member_id)])  # this month is made
    plan = Plan(clients, "R-22", date(2004, 11, 30))
    await plan.prepare()
    async with session(stack.postgres.login("identity", "identity_auditor")) as reader, reader.transaction():
        await reader.fetch("SELECT 1 FROM usage_record LIMIT 1")
        executing = asyncio.create_task(execute(clients, plan))
        await asyncio.sleep(0.5)
        assert errors_of(await append(clients, [record("usage", member_id)])) == [("", "", "")]
        assert (await executing).reason == "DATABASE_UNAVAILABLE"
        assert await reader.fetchval("SELECT count(*) FROM usage_record WHERE event_date = DATE '2004-11-03'") == 1
    assert rows((await plan.execute()).destroyed) == {"usage_record": 1, "erasure_key": 1}


async def test_no_certificate_before_the_files_are_gone(clients: Clients, log: Log) -> None:
    """R-12, LC-08: a plan waits, attempt by attempt, while the removal breaks, and is certified after it."""

    async def call(caller: str, name: str, request: Any) -> Any:
        outcome = await clients.call(caller, f"{RETENTION}/{name}", request, timeout=60)
        assert outcome.code is grpc.StatusCode.OK, outcome.reason
        return outcome.messages[-1].plan

    await one_record(clients, "login", date(2004, 9, 3))
    plan = await call("retention-operator", "PlanPurge", retention.PlanPurgeRequest(
        access=WHY, request_id=examples.new_id(), categories=["R-12"]))  # fmt: skip
    if plan.state == retention.PLAN_STATE_PLANNED:
        await call("privacy-officer", "ApprovePlan", retention.ApprovePlanRequest(
            access=WHY, request_id=examples.new_id(), plan_id=plan.plan_id, digest=plan.digest))  # fmt: skip
    async with removal(log, DIES):
        await call("retention-operator", "ExecutePlan", retention.ExecutePlanRequest(
            access=WHY, request_id=examples.new_id(), plan_id=plan.plan_id))  # fmt: skip
        await until(log, "SELECT 1 FROM destroyed_month WHERE name = 'login_record_2004_09_destroyed'")
        await asyncio.sleep(2)
        waiting = await call("retention-operator", "GetPlan", retention.GetPlanRequest(
            access=WHY, plan_id=plan.plan_id))  # fmt: skip
    assert waiting.state == retention.PLAN_STATE_DESTROYING
    done = await call("retention-operator", "WatchPlan", retention.WatchPlanRequest(access=WHY, plan_id=plan.plan_id))
    assert done.state == retention.PLAN_STATE_CERTIFIED
    assert [(check.left, check.passed) for check in done.parts[0].checks if check.name == CHECK] == [(0, True)]
    assert await left(log) == []
