"""One attempt at the execution of a plan: destroy, verify, certify. It begins where the last attempt has come to.

No holder destroys before it has confirmed, in this very attempt, what legal holds stand (LC-13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.ledger import append_within
from services.retention import register, store
from services.retention.certificate import Certifier
from services.retention.hold_telling import Telling
from services.retention.holders import Connected
from services.retention.job import Job
from services.retention.plan import Check, Part, Plan, State, Trouble, check_step
from services.retention.preparation import counts
from services.retention.refusals import Overtaken
from services.retention.store import Values

log = structlog.get_logger()


class Impossible(Exception):  # not a fault of the attempt: what was found
    """The plan cannot go on without a person."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class Stuck(Exception):
    """A holder answers, has units left and destroys none."""


@dataclass(slots=True)
class Attempt:
    """One attempt, under one epoch. ``batch``: units that a holder destroys in one transaction."""

    engine: AsyncEngine
    holders: Connected
    telling: Telling
    certifier: Certifier
    job: Job
    batch: int
    plan: Plan

    async def run(self) -> None:
        """Bring the plan to its certificate.

        Raises HolderUnavailable, KeyServiceUnavailable, DatabaseUnavailable or Stuck, after which another attempt makes
        sense; Overtaken; Impossible.
        """
        if self.plan.state is State.DESTROYING:
            await self._destroy()
        if self.plan.state is State.DESTROYED:
            await self._verify()
        if self.plan.state is State.VERIFIED:
            await self._certify()

    async def _destroy(self) -> None:
        await self.telling.confirm(self.holders.lines, {part.holder for part in self.plan.parts})
        for part in self.plan.parts:
            await self._destroy_part(part)
        await self._step(State.DESTROYED, "PURGE", {"executed_to": store.NOW})

    async def _destroy_part(self, part: Part) -> None:
        known = part.remaining
        while True:
            done = await self.holders.execute(part, self.batch)
            if done.remaining > known:
                raise Impossible(Trouble.GROWN)
            progress = {
                "destroyed": dict(counts(done.destroyed)), "remaining": done.remaining, "skipped": done.skipped,
                "held": done.held,
            }  # fmt: skip
            await self._update(part, progress)
            if done.remaining == 0:
                return
            if done.remaining == known:
                raise Stuck
            known = done.remaining

    async def _verify(self) -> None:
        clean = True
        for part in self.plan.parts:
            answer = await self.holders.verify(part)
            checks = [Check(item.name, item.examined, item.left, item.passed) for item in answer.checks]
            await self._update(part, {"checks": _stored(checks)})
            # A verification that has looked at nothing is none, and one check that failed outweighs the summary.
            clean &= answer.clean and bool(checks) and all(check.passed and not check.left for check in checks)
        if not clean:
            raise Impossible(Trouble.VERIFICATION)
        await self._step(State.VERIFIED, "VERIFY", {"verified_at": store.NOW})

    async def _certify(self) -> None:
        issued = await self.certifier.issue(self.plan)
        check_step(self.plan.state, State.CERTIFIED)
        async with store.transaction(self.engine) as connection:
            await self._change(connection, State.CERTIFIED, "PURGE", {})
            await register.add(connection, self.plan.plan_id, issued)

    async def _step(self, then: State, action: str, values: Values) -> None:
        check_step(self.plan.state, then)
        async with store.transaction(self.engine) as connection:
            await self._change(connection, then, action, values)
            found = await store.find_plan(connection, self.plan.plan_id)
        if found is None:
            raise Overtaken
        self.plan = found

    async def _change(self, connection: AsyncConnection, then: State, action: str, values: Values) -> None:
        await append_within(connection, [self.job.outcome(self.plan, action)])
        if not await store.step(connection, self.plan, then, values):
            raise Overtaken

    async def _update(self, part: Part, values: Values) -> None:
        async with store.transaction(self.engine) as connection:
            if not await store.update_part(connection, self.plan, part, values):
                raise Overtaken


def _stored(checks: Sequence[Check]) -> list[dict[str, Any]]:
    return [{"name": item.name, "examined": item.examined, "left": item.left, "passed": item.passed} for item in checks]
