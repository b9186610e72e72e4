"""The retention service as a process: killed in the middle, started again, nothing lost and nothing done twice."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.retention.v1 import retention_service_pb2 as api
from onggi.retention.v1.retention_service_pb2_grpc import RetentionServiceStub

from dev import environment
from dev.processes import Process
from dev.readiness import serving
from dev.stack import Stack
from tests.integration import retention_rig
from tests.integration.retention_holders import Holder, serve
from tests.integration.retention_rig import HOLDERS, OPERATOR, client, three_holders

pytestmark = pytest.mark.timeout(90)
stack = retention_rig.stack

WHY = AccessContext(purpose="destruction")


@pytest.fixture
async def holders(stack: Stack) -> AsyncIterator[tuple[Holder, Holder, Holder]]:
    """All holders at their addresses, with twelve days of login records, slow to destroy."""
    holders = three_holders(days=12)
    servers = [
        await serve(holder, stack.addresses[name], stack.service_credentials(name))
        for holder, name in zip(holders, HOLDERS, strict=True)
    ]
    yield holders
    for server in servers:
        await server.stop(0)


def process(stack: Stack, directory: Path) -> Process:
    """`python -m services.retention` with the stack's settings."""
    return Process(
        "retention",
        environment.module("services.retention"),
        {**stack.env_for("retention"), "ONGGI_SERVER__DRAIN_SECONDS": "0"},
        log_file=directory / "retention.log",
        pid_directory=directory,
        ready=partial(serving, stack.ports.address("retention_health")),
        directory=environment.ROOT,
    )


async def test_a_killed_service_goes_on_under_a_higher_epoch(
    stack: Stack, holders: tuple[Holder, Holder, Holder], tmp_path: Path
) -> None:
    """SIGKILL in the middle of a batch: after the restart the plan is certified, and each unit was destroyed once."""
    identity, *_ = holders
    retention = process(stack, tmp_path)
    await asyncio.to_thread(retention.start)
    try:
        async with client(stack, OPERATOR) as channel:
            stub = RetentionServiceStub(channel)  # type: ignore[no-untyped-call,unused-ignore]
            asked = api.PlanPurgeRequest(
                access=WHY, request_id="6f0d2b0e-6d6c-4d39-9c3f-0a2f6a3c7d10", categories=["R-12"]
            )
            plan = (await stub.PlanPurge(asked)).plan
            identity.pause = 1.0
            await stub.ExecutePlan(
                api.ExecutePlanRequest(
                    access=WHY, request_id="0f0d2b0e-6d6c-4d39-9c3f-0a2f6a3c7d10", plan_id=plan.plan_id
                )
            )
            await identity.executing.wait()
        retention.kill()
        identity.pause = 0.0
        await asyncio.to_thread(retention.start)
        async with client(stack, OPERATOR) as channel:
            stub = RetentionServiceStub(channel)  # type: ignore[no-untyped-call,unused-ignore]
            watched = stub.WatchPlan(api.WatchPlanRequest(access=WHY, plan_id=plan.plan_id), timeout=30)
            seen = [answer.plan async for answer in watched]
    finally:
        await asyncio.to_thread(retention.stop)

    assert api.PLAN_STATE_CERTIFIED == seen[-1].state
    epochs = [request.epoch for request, _ in identity.of("ExecutePurge", plan.plan_id)]
    assert epochs[-1] > epochs[0]
    assert {"DESTROYED": 12} == identity.states(plan.plan_id, "R-12")
    lines = [json.loads(line) for line in (tmp_path / "retention.log").read_text().splitlines()]
    assert {"serving", "ready", "attempt", "certified"} <= {line["event"] for line in lines}


def test_a_misspelt_setting_stops_the_start(stack: Stack) -> None:
    """A name that no setting has, and a cron expression that is none, are refused at the start."""
    for name, value in [("ONGGI_FORECAST__MEMBER", "3"), ("ONGGI_SCHEDULE", "every day")]:
        done = subprocess.run(
            environment.module("services.retention"), env={**stack.env_for("retention"), name: value},
            cwd=environment.ROOT, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert done.returncode == 1
        assert [name] == [json.loads(line)["setting"] for line in done.stdout.splitlines()]


async def test_migrations_may_be_run_again(stack: Stack) -> None:
    """A second run changes nothing and exits 0."""
    retention_rig.migrate(stack)
