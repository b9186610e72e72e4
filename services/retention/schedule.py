"""The daily plan (LC-01): what is due is asked for once a Korean day, by whichever replica is first.

Due is a query, so a day that was missed is caught up at the next look. A plan within the forecast is executed at once;
one above it waits for a person. A day on which nothing was due leaves its row in ``schedule_run`` and no plan.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

import structlog
from cronsim import CronSim
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import errors, trace_context
from chassis.background import Background, Rhythm
from chassis.entry import Entry
from chassis.kst import KST
from chassis.ledger import Ledger, append_within
from services.retention import schedule_store, store
from services.retention.claim import claimed
from services.retention.job import Job
from services.retention.plan import State, check_step
from services.retention.preparation import Fixed, Preparation
from services.retention.refusals import Overtaken

log = structlog.get_logger()

_RHYTHM = Rhythm(5.0, 300.0)


def latest_tick(cron: str, now: datetime) -> datetime | None:
    """Return the latest instant, not after ``now``, that the expression names in Korean time; None if it never does."""
    just_after = now.astimezone(KST).replace(microsecond=0) + timedelta(seconds=1)
    tick: datetime | None = next(CronSim(cron, just_after, reverse=True), None)
    return tick


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at a day. ``epoch`` fences the attempts before it."""

    day: date
    plan_id: str
    epoch: int
    entry: Entry


class Schedule(Background):
    """Makes the daily plan from ``start`` to ``close``; the worker finds by itself what is to be executed."""

    def __init__(self, engine: AsyncEngine, ledger: Ledger, preparation: Preparation, job: Job, cron: str) -> None:
        super().__init__("schedule", "the daily plan waits", _RHYTHM)
        self._engine = engine
        self._ledger = ledger
        self._preparation = preparation
        self._job = job
        self._cron = cron

    async def look(self) -> bool:
        """Plan the day of the latest tick, unless that is done or another replica is at it.

        Raises HolderUnavailable, DatabaseUnavailable.
        """
        tick = latest_tick(self._cron, self._preparation.clock())
        if tick is None or await self._is_done(tick):
            return True
        day = tick.date()
        async with claimed(self._engine, f"schedule {day}") as mine:
            run = await self._begin(day) if mine else None
            if run is not None:
                await self._plan(run)
        return True

    async def _is_done(self, tick: datetime) -> bool:
        async with store.transaction(self._engine) as connection:
            if tick < await schedule_store.since(connection):
                return True  # what lies before the installation was not missed
            return await schedule_store.is_done(connection, tick.date())

    async def _begin(self, day: date) -> Run | None:
        async with store.transaction(self._engine) as connection:
            begun = await schedule_store.begin(connection, day, str(uuid4()))
            if begun is None:
                return None
            plan_id, epoch = begun
            entry = self._job.planning(plan_id)
            await append_within(connection, [entry])
        return Run(day, plan_id, epoch, entry)

    async def _plan(self, run: Run) -> None:
        entry = run.entry
        traceparent = trace_context.traceparent(entry.trace_id, entry.span_id)
        try:
            fixed = await self._preparation.fix((run.plan_id, run.epoch), traceparent, (), run.day)
            await self._finish(run, fixed)
        except errors.DomainError as error:
            await self._ledger.append(entry.outcome(error.code.name, errors.reason_name(error.reason)))
            raise

    async def _finish(self, run: Run, fixed: Fixed) -> None:
        units = sum(part.units for part in fixed.parts)
        async with store.transaction(self._engine) as connection:
            if units:
                await store.add_plan(connection, self._columns(run, fixed))
                await store.add_parts(connection, run.plan_id, fixed.parts)
            if not await schedule_store.finish(connection, run.day, run.epoch, run.plan_id if units else None):
                raise Overtaken
        log.info("day planned", day=run.day.isoformat(), units=units, plan_id=run.plan_id if units else None)
        for part in fixed.parts:
            if part.conflicts:  # also on a day without a plan; its holder's log has the records
                told = {"category": part.category, "holder": part.holder, "conflicts": part.conflicts}
                log.warning("laws contradict, a person has to decide", **told)

    def _columns(self, run: Run, fixed: Fixed) -> store.Values:
        values = {
            "plan_id": run.plan_id, "state": fixed.state, "day": run.day, "epoch": run.epoch,
            "categories": list(dict.fromkeys(part.category for part in fixed.parts)), "requested_by": self._job.actor,
            "policy_version": self._preparation.categories.version_on(run.day), **fixed.values,
        }  # fmt: skip
        if fixed.state is State.APPROVED:
            check_step(State.APPROVED, State.DESTROYING)
            values |= {
                "state": State.DESTROYING, "started_by": self._job.actor, "executed_from": store.NOW,
                "trace_id": run.entry.trace_id, "span_id": run.entry.span_id,
            }  # fmt: skip
        return values
