"""Days that have not come yet: the retention service's own parts at a clock that the test sets, against the real holders.

No service can be told what day it is. What a day destroys is decided by retention, so its planner, worker and explainer
run here, under retention's own certificate and database, and the holders never know the difference.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from onggi.retention.v1.kept_item_pb2 import KeptItem
from sqlalchemy import text

from chassis.kst import KST
from dev.postgres import SUPERUSER
from dev.stack import Stack
from services.retention.forecast import Measure
from services.retention.worker import Pace
from tests.integration import retention_days
from tests.integration.log_rows import open_as
from tests.integration.retention_parts import Parts, parts

_WHOLE = 1_000_000
_PLAN = text("SELECT p.* FROM plan AS p JOIN schedule_run AS r USING (plan_id) WHERE r.day = :day")


@dataclass(frozen=True)
class Days:
    """The calendar that the test turns."""

    parts: Parts

    async def run(self, day: date) -> Any:
        """Let the daily plan of a day come and be executed; its row, or None where nothing was due."""
        self._turn(day)
        await self.parts.schedule.look()
        await self.parts.worker.look()
        async with self.parts.process.auditor.connect() as connection:
            plan = (await connection.execute(_PLAN, {"day": day})).one_or_none()
        assert plan is None or plan.state == "CERTIFIED", f"{day}: {plan.state} {plan.trouble}"
        return plan

    async def explain(self, day: date, **of: str) -> list[KeptItem]:
        """What is kept of a `member_id` or a `record_id` as of a day."""
        self._turn(day)
        lines = await self.parts.explainer.explain(retention_days.traceparent(), day, **of)
        return [line.item for line in lines]

    def _turn(self, day: date) -> None:
        self.parts.clock.now = datetime(day.year, day.month, day.day, 1, tzinfo=KST)


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
    async with parts(stack, dict.fromkeys(Measure, _WHOLE), Pace(attempts=3, pause_seconds=0.1)) as made:
        yield Days(made)
    own.start()
