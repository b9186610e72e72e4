"""Executes approved plans. Several replicas may work: a claim gives each plan to one, and an epoch fences the others.

It looks for plans that are not finished when it starts, when it is woken and every few seconds, so that it goes on with
what another process has left behind.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import errors, trace_context
from chassis.background import Background, Rhythm
from chassis.chain import place_of
from chassis.ledger import append_within
from services.retention import store
from services.retention.attempt import Attempt, Impossible, Stuck
from services.retention.certificate import Certifier
from services.retention.claim import claimed
from services.retention.hold_telling import Telling
from services.retention.job import Job
from services.retention.plan import RUNNING, Plan, State, Trouble, check_step
from services.retention.refusals import HolderUnavailable, Overtaken

log = structlog.get_logger()

# How a trouble stands in the processing log; what is not here is INTERNAL.
_FAILURES: Mapping[Trouble, type[errors.DomainError]] = {
    Trouble.HOLDER: HolderUnavailable,
    Trouble.STUCK: HolderUnavailable,
    Trouble.SIGNING: errors.KeyServiceUnavailable,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker works: units a batch, attempts before an operator is called, seconds between them and between looks.

    The pause doubles from attempt to attempt, up to ``longest_pause_seconds``: all of them take 23 minutes, so that nobody
    is called for a holder that restarts or a month of log-ins that a backup is reading.
    """

    batch: int = 100
    attempts: int = 13
    pause_seconds: float = 1.0
    longest_pause_seconds: float = 300.0
    look_seconds: float = 2.0


class Worker(Background):
    """Works from ``start`` to ``close``."""

    def __init__(self, engine: AsyncEngine, telling: Telling, certifier: Certifier, job: Job, pace: Pace) -> None:
        super().__init__("purge worker", "plans wait", Rhythm(pace.look_seconds, pace.look_seconds))
        self._engine = engine
        self._holders = telling.holders
        self._telling = telling
        self._certifier = certifier
        self._job = job
        self._pace = pace

    async def look(self) -> bool:
        """Execute every plan that is running and that nobody else has claimed. Raises DatabaseUnavailable."""
        async with store.transaction(self._engine) as connection:
            plan_ids = await store.running_plans(connection)
        for plan_id in plan_ids:
            async with claimed(self._engine, f"plan {plan_id}") as mine:
                if mine:
                    with suppress(Overtaken):
                        await self._execute(plan_id)
        return True

    async def _execute(self, plan_id: str) -> None:
        trouble: Trouble | None = None
        plan = None
        for number in range(self._pace.attempts):
            if number:
                pause = self._pace.pause_seconds * 2 ** (number - 1)
                await asyncio.sleep(min(pause, self._pace.longest_pause_seconds))
            plan = await self._begin(plan_id)
            if plan is None:
                return
            try:
                trouble = await self._attempt(plan)
            except Impossible as error:
                trouble = error.trouble
                break
            if trouble is None:
                return
        if plan is not None and trouble is not None:
            await self._call_operator(plan, trouble)

    async def _begin(self, plan_id: str) -> Plan | None:
        async with store.transaction(self._engine) as connection:
            epoch = await store.take_epoch(connection, plan_id, RUNNING)
            plan = None if epoch is None else await store.find_plan(connection, plan_id)
        if plan is not None:
            log.info("attempt", plan_id=plan_id, epoch=plan.epoch, state=plan.state)
        return plan

    async def _attempt(self, plan: Plan) -> Trouble | None:
        """Return None when there is nothing more to do here, else why it did not come to the end."""
        traceparent = trace_context.traceparent(plan.trace_id, plan.span_id)
        try:
            async with self._holders.connected(plan.plan_id, plan.epoch, traceparent) as holders:
                attempt = Attempt(
                    self._engine, holders, self._telling, self._certifier, self._job, self._pace.batch, plan
                )
                await attempt.run()
        except (Overtaken, errors.DatabaseUnavailable, Impossible):
            raise
        except Stuck:
            return Trouble.STUCK
        except errors.KeyServiceUnavailable:
            return Trouble.SIGNING
        except errors.DomainError:
            return Trouble.HOLDER
        except Exception as error:  # noqa: BLE001  # its text may hold data, so only its place is told
            log.error("unexpected error", error=type(error).__name__, at=place_of(error))
            return Trouble.DEFECT
        log.info("certified", plan_id=plan.plan_id)
        return None

    async def _call_operator(self, plan: Plan, trouble: Trouble) -> None:
        log.error("a plan needs an operator", plan_id=plan.plan_id, trouble=trouble)
        entry = self._job.outcome(plan, "PURGE")
        failure = _FAILURES.get(trouble, errors.Internal)
        entry.status, entry.error_reason = failure.code.name, errors.reason_name(failure.reason)
        async with store.transaction(self._engine) as connection:
            await append_within(connection, [entry])
            now = await store.find_plan(connection, plan.plan_id, lock=True)  # the attempt may have brought it further
            if now is None or now.epoch != plan.epoch:
                raise Overtaken
            check_step(now.state, State.NEEDS_OPERATOR)
            await store.step(connection, now, State.NEEDS_OPERATOR, {"trouble": trouble.value})
