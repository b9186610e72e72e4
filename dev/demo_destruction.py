"""Second act: a member leaves, and what is due is planned, approved by another, destroyed, verified and certified."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

import grpc
from onggi.access.v1.access_context_pb2 import AccessContext, View
from onggi.identity.v1.member_service_pb2 import WithdrawMemberRequest
from onggi.identity.v1.record_service_pb2 import ListRecordsRequest
from onggi.retention.v1.retention_service_pb2 import (
    ApprovePlanRequest,
    ExecutePlanRequest,
    Plan,
    PlanPurgeRequest,
    PlanState,
    WatchPlanRequest,
)

from chassis import kst
from chassis.kst import event_date
from chassis.policy.calendar import due
from chassis.policy.duration import Period
from dev import demo_plan
from dev.demo_access import AccessAct
from dev.demo_calls import Answer, Caller
from dev.demo_keeping import KeepingAct
from dev.demo_load import Loaded
from dev.demo_screen import DemoFailed, Screen

_WATCH_SECONDS: Final = 300.0
_WHY: Final = AccessContext(purpose="destruction", ticket="DEMO-2")
_APPROVAL: Final = AccessContext(purpose="destruction", reason="reviewed: counts and dates are right", ticket="DEMO-2")
_LOGIN_RECORDS: Final = Period(months=3)  # 통신비밀보호법 시행령 제41조


class DestructionAct:
    """The steps from the withdrawal to the end of the data.

    Args:
        callers: by name; `portal`, `billing`, `retention-operator` and `privacy-officer` play.
        members: all of them; the first one leaves.
        access: reads and reveals of that member.
        keeping: shows what is kept of that member.
    """

    def __init__(
        self,
        screen: Screen,
        callers: dict[str, Caller],
        members: Sequence[Loaded],
        access: AccessAct,
        keeping: KeepingAct,
    ) -> None:
        self._screen = screen
        self._callers = callers
        self._members = members
        self._leaving = members[0]
        self._access = access
        self._keeping = keeping
        today = kst.today()
        self._last_due = due(_LOGIN_RECORDS, today)

    async def play(self) -> Plan:
        """All steps up to the certified plan.

        Raises:
            DemoFailed: an answer is not as it must be.
        """
        await self._withdraw()
        await self._gone("billing", "The next read, at once")
        await self._keeping.archive()
        plan = await self._plan()
        await self._approve_own(plan)
        await self._approve(plan)
        await self._execute(plan)
        certified = await self._watch(plan)
        demo_plan.show_checks(self._screen, certified)
        return certified

    async def look_afterwards(self) -> None:
        """The last steps: what is destroyed is found by nobody, what is not due is still there."""
        await self._gone("portal", "After the destruction: a read")
        for token in self._leaving.tokens:
            self._step("A reveal of a destroyed token", "billing", "Detokenize", "billing")
            answer = await self._access.reveal(token, "late refund")
            self._screen.expect("NOT_FOUND TOKEN_NOT_FOUND", str(answer) == "NOT_FOUND TOKEN_NOT_FOUND", answer)
        await self._records_of_another()

    async def _withdraw(self) -> None:
        self._step("The member leaves (회원탈퇴)", "portal", "WithdrawMember", "membership")
        request = WithdrawMemberRequest(
            access=AccessContext(purpose="membership", ticket="DEMO-2"),
            request_id=str(uuid4()),
            member_id=self._leaving.member_id,
        )
        portal = self._callers["portal"]
        answer = await portal.call(portal.members.WithdrawMember, request)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        self._screen.note(
            f"left on {answer.response.withdrawn_on}; what is kept all the same, and the member is told so:"
        )
        self._keeping.told(answer.response.kept)

    async def _gone(self, caller: str, what: str) -> None:
        purpose = {"billing": "billing", "portal": "membership"}[caller]
        self._step(what, caller, "GetMember", purpose)
        answer = await self._access.get(caller, purpose, View.VIEW_FULL)
        self._screen.expect("NOT_FOUND MEMBER_NOT_FOUND", str(answer) == "NOT_FOUND MEMBER_NOT_FOUND", answer)

    async def _plan(self) -> Plan:
        self._step("What is due today is fixed as a plan (파기 계획)", "retention-operator", "PlanPurge", "destruction")
        operator = self._callers["retention-operator"]
        request = PlanPurgeRequest(access=_WHY, request_id=str(uuid4()))
        answer = await operator.call(operator.plans.PlanPurge, request)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        plan: Plan = answer.response.plan
        demo_plan.show_parts(self._screen, plan)
        there = {(part.category, part.holder) for part in plan.parts if part.units}
        wanted = {("R-01", "identity"), ("R-03", "payment_vault"), ("R-12", "identity")}
        self._screen.expect("R-01, R-03 and R-12 have something due", wanted <= there, sorted(there))
        logins = self._login_rows(plan)
        self._screen.expect(
            f"R-12 has the {logins} log-ins up to {self._last_due}, three months ago by 민법 제157·160조",
            logins == self._count_due(self._members),
            f"expected {self._count_due(self._members)}",
        )
        self._screen.expect(
            "it is above the forecast and waits for a person",
            plan.exceeds_forecast and plan.state == PlanState.PLAN_STATE_PLANNED,
            PlanState.Name(plan.state),
        )
        return plan

    async def _approve_own(self, plan: Plan) -> None:
        answer = await self._approval("retention-operator", "The operator approves the own plan", plan)
        self._screen.expect("refused: PERMISSION_DENIED SELF_APPROVAL", answer.reason == "SELF_APPROVAL", answer)

    async def _approve(self, plan: Plan) -> None:
        answer = await self._approval("privacy-officer", "The privacy officer (CPO) approves it", plan)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        approved = answer.response.plan
        self._screen.expect(
            f"approved by {approved.approved_by}",
            approved.state == PlanState.PLAN_STATE_APPROVED and approved.approved_by.endswith("/privacy-officer"),
            PlanState.Name(approved.state),
        )

    async def _approval(self, caller: str, what: str, plan: Plan) -> Answer[Any]:
        self._step(what, caller, "ApprovePlan", "destruction", _APPROVAL.reason)
        request = ApprovePlanRequest(
            access=_APPROVAL, request_id=str(uuid4()), plan_id=plan.plan_id, digest=plan.digest
        )
        return await self._callers[caller].call(self._callers[caller].plans.ApprovePlan, request)

    async def _execute(self, plan: Plan) -> None:
        self._step("The plan is executed (파기)", "retention-operator", "ExecutePlan", "destruction")
        operator = self._callers["retention-operator"]
        request = ExecutePlanRequest(access=_WHY, request_id=str(uuid4()), plan_id=plan.plan_id)
        answer = await operator.call(operator.plans.ExecutePlan, request)
        self._screen.expect("started", answer.code == "OK", answer)

    async def _watch(self, plan: Plan) -> Plan:
        """Follow the plan to its end, with a bar for each part that has something due."""
        operator = self._callers["retention-operator"]
        request = WatchPlanRequest(access=_WHY, plan_id=plan.plan_id)
        last = plan
        with self._screen.progress() as bars:
            tasks = {
                at: bars.add_task(f"{part.category} {part.holder}", total=part.units)
                for at, part in enumerate(plan.parts)
                if part.units
            }
            call = operator.plans.WatchPlan(request, timeout=_WATCH_SECONDS)
            try:
                async for response in call:
                    last = response.plan
                    for at, task in tasks.items():
                        bars.update(task, completed=demo_plan.destroyed(last, last.parts[at]))
            except grpc.aio.AioRpcError as error:
                raise DemoFailed(f"WatchPlan: {error.code().name}") from None
            operator.keep(await call.trailing_metadata(), request.SerializeToString())
        state = PlanState.Name(last.state).removeprefix("PLAN_STATE_")
        self._screen.expect(
            "the plan is CERTIFIED", last.state == PlanState.PLAN_STATE_CERTIFIED, f"{state} {last.trouble}"
        )
        return last

    async def _records_of_another(self) -> None:
        other = self._members[1]
        self._step("Log-ins of another member: the older ones are gone", "portal", "ListRecords", "membership")
        request = ListRecordsRequest(
            access=AccessContext(purpose="membership", ticket="DEMO-2"), member_id=other.member_id, page_size=200
        )
        portal = self._callers["portal"]
        answer = await portal.call(portal.records.ListRecords, request)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        kept = len(other.institution.logins) - self._count_due([other])
        self._screen.expect(
            f"{kept} of {len(other.institution.logins)} are left, those of the last three months",
            len(answer.response.records) == kept,
            len(answer.response.records),
        )

    def _count_due(self, members: Sequence[Loaded]) -> int:
        logins = (login for member in members for login in member.institution.logins)
        return sum(event_date(login.occurred_at) <= self._last_due for login in logins)

    def _login_rows(self, plan: Plan) -> int:
        return sum(count.rows for part in plan.parts if part.category == "R-12" for count in part.planned)

    def _step(self, what: str, caller: str, rpc: str, purpose: str, reason: str = "") -> None:
        self._screen.step(what, who=self._callers[caller].name, rpc=rpc, purpose=purpose, reason=reason)
