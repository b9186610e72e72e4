"""Days that have not come yet: the retention service's own parts at a clock that the test sets, against the real holders.

No service can be told what day it is. What a day destroys is decided by retention, so its planner, worker and explainer
run here, under retention's own certificate and database, and the holders never know the difference.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from onggi.retention.v1.kept_item_pb2 import KeptItem
from sqlalchemy import text

from chassis import detached, trace_context
from chassis.kst import KST
from chassis.policy.calendars import Calendars
from chassis.policy.load import load
from chassis.process import Process
from chassis.transit import Transit
from dev import environment
from dev.postgres import SUPERUSER
from dev.stack import Stack
from services.retention.categories import Categories
from services.retention.certificate import Certifier
from services.retention.explanation import Explainer
from services.retention.forecast import Forecast, Measure
from services.retention.hold_telling import Telling
from services.retention.holders import Holders
from services.retention.holds import known
from services.retention.job import Job, own_spiffe_id
from services.retention.preparation import Preparation
from services.retention.schedule import Schedule
from services.retention.worker import Pace, Worker
from tests.integration.log_rows import open_as
from tests.integration.retention_rig import settings_of

_WHOLE = 1_000_000
_PLAN = text("SELECT p.* FROM plan AS p JOIN schedule_run AS r USING (plan_id) WHERE r.day = :day")
_CERTIFIED = text("SELECT statement FROM certificate WHERE plan_id = :plan")


@dataclass
class Days:
    """The calendar that the test turns."""

    schedule: Schedule
    worker: Worker
    explainer: Explainer
    process: Process
    now: datetime

    def clock(self) -> datetime:
        """The present of retention."""
        return self.now

    async def run(self, day: date) -> Any:
        """Let the daily plan of a day come and be executed; its row, or None where nothing was due."""
        self.now = datetime(day.year, day.month, day.day, 1, tzinfo=KST)
        await self.schedule.look()
        await self.worker.look()
        async with self.process.auditor.connect() as connection:
            plan = (await connection.execute(_PLAN, {"day": day})).one_or_none()
        assert plan is None or plan.state == "CERTIFIED", f"{day}: {plan.state} {plan.trouble}"
        return plan

    async def explain(self, day: date, **of: str) -> list[KeptItem]:
        """What is kept of a `member_id` or a `record_id` as of a day."""
        self.now = datetime(day.year, day.month, day.day, 1, tzinfo=KST)
        return await self.explainer.explain(f"00-{trace_context.new_trace_id()}-{trace_context.new_span_id()}-01", **of)


async def _forget(stack: Stack) -> None:
    """Let every day come again: another test may have been there."""
    connection = await open_as(stack.postgres.login("retention", SUPERUSER))
    await connection.execute("DELETE FROM schedule_run")
    await connection.close()


@asynccontextmanager
async def days(stack: Stack) -> AsyncIterator[Days]:
    """The retention service at a clock, in place of the stack's own, which is started again at the end."""
    own = stack.services["retention"]
    own.stop()
    await _forget(stack)
    settings = settings_of(stack)
    policy = load(environment.ROOT / "policy")
    async with Process("retention", settings) as process:
        transit = Transit(settings.vault, settings.tls, "retention")
        await transit.start()
        calendars = Calendars(policy)
        categories = Categories(calendars)
        holders = Holders(settings.holders.by_name(), settings.tls)
        job = Job(own_spiffe_id(settings.tls.certificate_file), process.policy.version)
        certifier = Certifier(transit, categories, settings.windows)
        telling = Telling(process.engine, holders, job, policy.retention.holds.purpose)
        worker = Worker(process.engine, telling, certifier, job, Pace(attempts=3, pause_seconds=0.1))
        turned = Days(None, worker, None, process, datetime.now(KST))  # type: ignore[arg-type]  # both need its clock
        forecast = Forecast(categories, dict.fromkeys(Measure, _WHOLE))
        preparation = Preparation(holders, categories, forecast, turned.clock)
        turned.schedule = Schedule(process.engine, process.ledger, preparation, job, settings.schedule)
        turned.explainer = Explainer(holders, calendars, partial(known, process.engine), turned.clock)
        try:
            yield turned
        finally:
            await detached.finish()
            await transit.close()
            await process.ledger.close()
            await process.ledger._hot.close()  # else a connection outlives the test's event loop
    own.start()
