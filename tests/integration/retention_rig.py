"""The retention service for its tests: its own parts on real PostgreSQL, OpenBao and mutual TLS, driven step by step.

What differs from a process is who turns the wheel: here the test calls the worker and the schedule, at a clock of its own.
"""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import grpc.aio
import pytest
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.processing_log.v1 import processing_log_service_pb2
from onggi.retention.v1 import hold_service_pb2 as hold_api
from onggi.retention.v1 import retention_service_pb2 as api
from onggi.retention.v1.hold_service_pb2_grpc import HoldServiceStub
from onggi.retention.v1.kept_item_pb2 import KeptItem
from onggi.retention.v1.retention_service_pb2_grpc import RetentionServiceStub
from sqlalchemy import text

from chassis.chain import Grounds
from chassis.log_reader import LogReader
from chassis.mutation import Mutations
from chassis.policy.load import load
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.process import Process
from chassis.server import Server
from dev import environment
from dev.stack import Stack
from services.retention.explanation_pages import ExplanationPages
from services.retention.forecast import Measure
from services.retention.hold_servicer import HoldServicer
from services.retention.hold_worker import HoldWorker
from services.retention.holds import Holds
from services.retention.plans import Plans
from services.retention.schedule import Schedule
from services.retention.servicer import RetentionServicer
from services.retention.worker import Pace, Worker
from tests.integration.retention_holders import Holder, Kept, serve
from tests.integration.retention_parts import Clock, parts, settings_of

OPERATOR, OFFICER = "retention-operator", "privacy-officer"
HOLDERS = ("identity", "payment_vault", "archive")
WHY = AccessContext(purpose="destruction", reason="a test")


NEWEST_EXPLANATION = text("""
SELECT * FROM processing_log WHERE rpc_method LIKE '%/ExplainRetention' ORDER BY recorded_at DESC, record_id DESC LIMIT 1
""")
POLICY = load(environment.ROOT / "policy")


def three_holders(
    members: int = 0, days: int = 0, rows: int = 1, page: int = 1000, records: int = 0
) -> tuple[Holder, Holder, Holder]:
    """Give identity, with members that have left, days of login records and records of R-09b, payment_vault, archive.

    Of every other category that the policy has a holder for, that holder has nothing due.
    """
    ids = [str(uuid4()) for _ in range(members)]
    names = [f"2020-01-{day:02}" for day in range(1, days + 1)]
    identity = Holder(
        {
            "R-01": Kept("member", ids),
            "R-12": Kept("login_record", names, rows=rows, subjects=False),
            "R-09b": Kept("record_basis", [str(uuid4()) for _ in range(records)], subjects=False),
        },
        page,
    )
    vault, archive = Holder({"R-03": Kept("token", rows=2, follows=True)}, page), Holder({}, page)
    holders = {"identity": identity, "payment_vault": vault, "archive": archive}
    for name, category in POLICY.retention.categories.items():
        for holder in category.holders:
            holders[holder].categories.setdefault(name, Kept("record_basis", subjects=False))
    for name in POLICY.retention.brought_by_holds():
        archive.categories[name] = Kept("record_basis", subjects=False)
    return identity, vault, archive


@dataclass
class Rig:
    """The parts that a test drives."""

    stack: Stack
    process: Process
    worker: Worker
    schedule: Schedule
    identity: Holder
    vault: Holder
    archive: Holder
    hold_worker: HoldWorker
    clock: Clock
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    @property
    def now(self) -> datetime | None:
        """The present of the parts, if it is the test's."""
        return self.clock.now

    @now.setter
    def now(self, now: datetime | None) -> None:
        self.clock.now = now

    def stub(self, caller: str = OPERATOR) -> Any:
        """RetentionService as this caller."""
        channel = client(self.stack, caller)
        self.channels.append(channel)
        return RetentionServiceStub(channel)  # type: ignore[no-untyped-call,unused-ignore]

    def holds(self, caller: str = OFFICER) -> Any:
        """HoldService as this caller."""
        channel = client(self.stack, caller)
        self.channels.append(channel)
        return HoldServiceStub(channel)  # type: ignore[no-untyped-call,unused-ignore]

    async def plan(self, *categories: str, caller: str = OPERATOR, request_id: str = "") -> api.Plan:
        """PlanPurge."""
        request = api.PlanPurgeRequest(access=WHY, request_id=request_id or str(uuid4()), categories=categories)
        answer = await self.stub(caller).PlanPurge(request)
        found: api.Plan = answer.plan
        return found

    async def approve(self, plan: api.Plan, caller: str = OFFICER, digest: str = "") -> api.Plan:
        """ApprovePlan, with the plan's digest unless another is given."""
        request = api.ApprovePlanRequest(
            access=WHY, request_id=str(uuid4()), plan_id=plan.plan_id, digest=digest or plan.digest
        )
        answer = await self.stub(caller).ApprovePlan(request)
        found: api.Plan = answer.plan
        return found

    async def execute(self, plan: api.Plan) -> api.Plan:
        """ExecutePlan."""
        request = api.ExecutePlanRequest(access=WHY, request_id=str(uuid4()), plan_id=plan.plan_id)
        answer = await self.stub().ExecutePlan(request)
        found: api.Plan = answer.plan
        return found

    async def get(self, plan_id: str) -> api.Plan:
        """GetPlan."""
        answer = await self.stub().GetPlan(api.GetPlanRequest(access=WHY, plan_id=plan_id))
        found: api.Plan = answer.plan
        return found

    async def certificate(self, plan_id: str) -> api.Certificate:
        """GetCertificate."""
        request = api.GetCertificateRequest(access=WHY, plan_id=plan_id)
        answer = await self.stub(OFFICER).GetCertificate(request)
        found: api.Certificate = answer.certificate
        return found

    async def explain(self, caller: str = OFFICER, **of: str) -> list[KeptItem]:
        """ExplainRetention, of a member_id or a record_id."""
        answer = await self.stub(caller).ExplainRetention(api.ExplainRetentionRequest(access=WHY, **of))
        return list(answer.kept)

    async def entries(self, plan_id: str) -> list[Any]:
        """The processing log's rows about a plan, oldest first."""
        async with self.process.auditor.connect() as connection:
            found = text("SELECT * FROM processing_log WHERE :plan = ANY(resource_ids) ORDER BY recorded_at, record_id")
            return list((await connection.execute(found, {"plan": plan_id})).all())


def client(stack: Stack, caller: str) -> grpc.aio.Channel:
    """A channel to the retention service with a caller's certificate."""
    files = stack.client_credentials(caller)
    credentials = grpc.ssl_channel_credentials(
        files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    options = [("grpc.ssl_target_name_override", "retention.onggi.internal")]
    return grpc.aio.secure_channel(stack.addresses["retention"], credentials, options)


@asynccontextmanager
async def rig(
    stack: Stack,
    holders: tuple[Holder, Holder, Holder],
    *,
    members: int = 20,
    login_records: int = 1000,
    records: int = 500,
    pace: Pace | None = None,
    policy: PrivacyPolicy = POLICY,
) -> AsyncIterator[Rig]:
    """The service and its three holders, at the addresses that the stack has for them; `policy` is what it plans by."""
    settings = settings_of(stack)
    servers = [
        await serve(holder, stack.addresses[name], stack.service_credentials(name))
        for holder, name in zip(holders, HOLDERS, strict=True)
    ]
    limits = {Measure.MEMBERS: members, Measure.LOGIN_RECORDS: login_records, Measure.RECORDS: records}
    async with parts(stack, limits, pace or Pace(attempts=3, pause_seconds=0.01), policy) as made:
        process, worker = made.process, made.worker
        mutations = Mutations(process.engine)
        plans = Plans(process.engine, mutations, made.preparation, worker.wake)
        rules = policy.retention.holds
        hold_worker = HoldWorker(process.engine, made.telling, made.clock)
        holds = Holds(process.engine, mutations, made.telling, rules, made.clock)
        servicer = RetentionServicer(process.engine, plans, ExplanationPages(made.explainer, made.transit))
        running = Rig(stack, process, worker, made.schedule, *holders, hold_worker, made.clock)
        server = Server(settings.server, settings.tls, Grounds(process.policy, process.ledger), [
            (api.DESCRIPTOR.services_by_name["RetentionService"], servicer),
            (hold_api.DESCRIPTOR.services_by_name["HoldService"], HoldServicer(holds)),
            (
                processing_log_service_pb2.DESCRIPTOR.services_by_name["ProcessingLogService"],
                LogReader("retention", process.auditor),
            ),
        ])  # fmt: skip
        await server.start()
        try:
            yield running
        finally:
            await worker.close()
            for channel in running.channels:
                await channel.close()
            await server.stop()
            for other in servers:
                await other.stop(0)


def migrate(stack: Stack) -> None:
    """Bring the retention database to its newest version, as its process does."""
    command = environment.module("services.retention", "migrate")
    done = subprocess.run(
        command,
        env=stack.migration_env_for("retention"),
        cwd=environment.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, OpenBao and the OTLP receiver, with the retention database migrated."""
    running = Stack(tmp_path_factory.mktemp("stack"), services=())
    running.start()
    try:
        migrate(running)
        yield running
    finally:
        running.erase()
