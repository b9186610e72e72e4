"""What people do with plans: ask for one, approve it, have it executed, and read how it stands.

Each change and its row of the processing log are one transaction (``chassis.mutation``), safe to ask for again. Holders
are called outside of any transaction: a plan is PREPARING until its set is fixed, and a repeated request goes on
from there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors, page
from chassis.call import Call
from chassis.kst import event_date
from chassis.mutation import Answer, Mutations
from chassis.running import Running
from services.retention import store
from services.retention.plan import FINISHED, Plan, State, check_approval, check_step
from services.retention.preparation import Preparation
from services.retention.refusals import PlanNotFound

WATCH_SECONDS = 0.2
DEFAULT_PAGE = 20


class Plans:
    """The plans. ``wake`` tells the worker that there is something to do."""

    def __init__(
        self, engine: AsyncEngine, mutations: Mutations, preparation: Preparation, wake: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._mutations = mutations
        self._preparation = preparation
        self._wake = wake

    async def request(self, call: Call, digest: str, names: Sequence[str]) -> Plan:
        """Fix what is due today as a plan, for the categories named or all. Nothing due is a plan of 0 units.

        Raises CategoryUnknown, HolderUnavailable (ask again: the plan stands), DatabaseUnavailable.
        """
        day = event_date(self._preparation.clock())
        categories = list(dict.fromkeys(due.category for due in self._preparation.categories.chosen(names, day)))

        async def add(connection: AsyncConnection) -> Answer:
            plan_id = str(uuid4())
            await store.add_plan(connection, {
                "plan_id": plan_id, "state": State.PREPARING, "day": day, "categories": categories, "epoch": 0,
                "requested_by": call.caller.spiffe_id, "policy_version": self._preparation.categories.version_on(day),
            })  # fmt: skip
            return {"plan_id": plan_id}

        plan = await self.get((await self._mutations.run(call, digest, add))["plan_id"])
        return await self._fix(plan, call.traceparent) if plan.state is State.PREPARING else plan

    async def _fix(self, plan: Plan, traceparent: str) -> Plan:
        async with store.transaction(self._engine) as connection:
            epoch = await store.take_epoch(connection, plan.plan_id, [State.PREPARING])
        if epoch is not None:
            fixed = await self._preparation.fix((plan.plan_id, epoch), traceparent, plan.categories, plan.day)
            check_step(State.PREPARING, fixed.state)
            async with store.transaction(self._engine) as connection:
                if await store.step(connection, replace(plan, epoch=epoch), fixed.state, fixed.values):
                    await store.add_parts(connection, plan.plan_id, fixed.parts)
        # Also where a repeated request has overtaken this one: the plan is as that one has fixed it.
        return await self.get(plan.plan_id)

    async def approve(self, call: Call, digest: str, plan_id: str, reviewed: str) -> Plan:
        """Approve the plan that was reviewed. Raises PlanNotFound, SelfApproval, WrongState, PlanChanged."""
        approver = call.caller.spiffe_id

        async def work(connection: AsyncConnection) -> Answer:
            plan = await _locked(connection, plan_id)
            check_approval(plan, approver, reviewed)
            approval = {"approved_by": approver, "approved_at": store.NOW}
            await store.step(connection, plan, State.APPROVED, approval)
            return {"plan_id": plan_id}

        await self._mutations.run(call, digest, work)
        return await self.get(plan_id)

    async def execute(self, call: Call, digest: str, plan_id: str) -> Plan:
        """Start an approved plan, or one that has needed an operator once more. Raises PlanNotFound, WrongState."""

        async def work(connection: AsyncConnection) -> Answer:
            plan = await _locked(connection, plan_id)
            check_step(plan.state, State.DESTROYING)
            await store.step(connection, plan, State.DESTROYING, {
                "trouble": "", "started_by": call.caller.spiffe_id, "trace_id": call.entry.trace_id,
                "span_id": call.entry.span_id, "executed_from": plan.executed_from or store.NOW,
            })  # fmt: skip
            return {"plan_id": plan_id}

        await self._mutations.run(call, digest, work)
        self._wake()
        return await self.get(plan_id)

    async def get(self, plan_id: str) -> Plan:
        """Return a plan. Raises PlanNotFound."""
        async with store.transaction(self._engine) as connection:
            plan = await store.find_plan(connection, plan_id)
        if plan is None:
            raise PlanNotFound
        return plan

    async def newest(self, size: int, page_token: str) -> tuple[list[Plan], str]:
        """Return a page of plans, newest first, and the token of the next page. Raises PageTokenInvalid."""
        size, after = size or DEFAULT_PAGE, page.key(page_token, page.moment, UUID)
        async with store.transaction(self._engine) as connection:
            plans = await store.newest_plans(connection, size + 1, after)
        more = len(plans) > size
        last = plans[:size][-1] if more else None
        return plans[:size], page.token(last.created_at.isoformat(), last.plan_id) if last else ""

    async def watch(self, plan: Plan, running: Running, deadline: float | None) -> AsyncIterator[Plan]:
        """Yield the plan, and again whenever it has changed, until it is finished or the loop's time ``deadline``.

        Raises Stopping when the server stops: the caller goes on at another replica.
        """
        plan_id = plan.plan_id
        yield plan
        while plan.state not in FINISHED:
            await asyncio.sleep(WATCH_SECONDS)
            if running.stopping:
                raise errors.Stopping
            if deadline is not None and asyncio.get_running_loop().time() >= deadline:
                return
            found = plan
            with suppress(errors.DatabaseUnavailable):
                found = await self.get(plan_id)
            if found != plan:
                plan = found
                yield plan


async def _locked(connection: AsyncConnection, plan_id: str) -> Plan:
    plan = await store.find_plan(connection, plan_id, lock=True)
    if plan is None:
        raise PlanNotFound
    return plan
