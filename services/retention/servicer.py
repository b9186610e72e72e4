"""RetentionService: proto to domain and back; no rules and no SQL."""

import hashlib
from collections.abc import AsyncIterator, Mapping

from google.protobuf.message import Message
from onggi.purge.v1 import purge_service_pb2 as purge
from onggi.retention.v1 import retention_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.call import Call
from chassis.cutoffs import messages
from chassis.instants import timestamp
from chassis.request_content import content
from services.retention import register, store
from services.retention.explanation_pages import ExplanationPages
from services.retention.plan import Part, Plan
from services.retention.plans import Plans
from services.retention.refusals import CertificateNotReady

Request = api.PlanPurgeRequest | api.ApprovePlanRequest | api.ExecutePlanRequest


class RetentionServicer:
    """Servicer of RetentionService."""

    def __init__(self, engine: AsyncEngine, plans: Plans, explanations: ExplanationPages) -> None:
        self._engine = engine
        self._plans = plans
        self._explanations = explanations

    async def plan_purge(self, request: api.PlanPurgeRequest, call: Call) -> api.PlanPurgeResponse:
        """Fix what is due as a plan."""
        plan = await self._plans.request(call, digest(call, request), request.categories)
        return api.PlanPurgeResponse(plan=to_proto(plan))

    async def get_plan(self, request: api.GetPlanRequest, call: Call) -> api.GetPlanResponse:
        """Return one plan."""
        return api.GetPlanResponse(plan=to_proto(await self._plans.get(request.plan_id)))

    async def list_plans(self, request: api.ListPlansRequest, call: Call) -> api.ListPlansResponse:
        """Return a page of plans."""
        plans, next_page_token = await self._plans.newest(request.page_size, request.page_token)
        return api.ListPlansResponse(plans=[to_proto(plan) for plan in plans], next_page_token=next_page_token)

    async def approve_plan(self, request: api.ApprovePlanRequest, call: Call) -> api.ApprovePlanResponse:
        """Approve a plan."""
        plan = await self._plans.approve(call, digest(call, request), request.plan_id, request.digest)
        return api.ApprovePlanResponse(plan=to_proto(plan))

    async def execute_plan(self, request: api.ExecutePlanRequest, call: Call) -> api.ExecutePlanResponse:
        """Start a plan."""
        plan = await self._plans.execute(call, digest(call, request), request.plan_id)
        return api.ExecutePlanResponse(plan=to_proto(plan))

    async def watch_plan(self, request: api.WatchPlanRequest, call: Call) -> AsyncIterator[api.WatchPlanResponse]:
        """Stream a plan's progress."""
        plan = await self._plans.get(request.plan_id)  # one that is not there is refused before anything is streamed
        return _progress(self._plans.watch(plan, call.running, call.deadline))

    async def get_certificate(self, request: api.GetCertificateRequest, call: Call) -> api.GetCertificateResponse:
        """Return the certificate of a plan."""
        plan = await self._plans.get(request.plan_id)
        async with store.transaction(self._engine) as connection:
            issued = await register.find(connection, plan.plan_id)
        if issued is None:
            raise CertificateNotReady
        return api.GetCertificateResponse(
            certificate=api.Certificate(
                statement=issued.statement, signature=issued.signature, key_id=issued.key_id,
                public_key_pem=issued.public_key_pem,
            )
        )  # fmt: skip

    async def explain_retention(self, request: api.ExplainRetentionRequest, call: Call) -> api.ExplainRetentionResponse:
        """Return a page of what is kept, why and until when."""
        return await self._explanations.page(call, request)


async def _progress(plans: AsyncIterator[Plan]) -> AsyncIterator[api.WatchPlanResponse]:
    async for plan in plans:
        yield api.WatchPlanResponse(plan=to_proto(plan))


def digest(call: Call, request: Message) -> str:
    """Return SHA-256 over RPC and content; no key, since there is nothing personal in these requests."""
    return hashlib.sha256(content(call.method.name, request)).hexdigest()


def to_proto(plan: Plan) -> api.Plan:
    """Return the plan as the contract has it."""
    return api.Plan(
        plan_id=plan.plan_id, state=api.PlanState.Value(f"PLAN_STATE_{plan.state}"),
        parts=[_part(part) for part in plan.parts], digest=plan.digest, requested_by=plan.requested_by,
        approved_by=plan.approved_by, exceeds_forecast=plan.exceeds_forecast, trouble=plan.trouble,
        created_at=timestamp(plan.created_at), updated_at=timestamp(plan.updated_at), trace_id=plan.trace_id,
    )  # fmt: skip


def _part(part: Part) -> api.PlanPart:
    return api.PlanPart(
        category=part.category, holder=part.holder, through=part.through.isoformat(), planned=_counts(part.planned),
        units=part.units, digest=part.digest, destroyed=_counts(part.destroyed), remaining=part.remaining,
        skipped=part.skipped, held=part.held, cutoffs=messages(part.cutoffs), conflicts=part.conflicts,
        checks=[
            purge.PurgeCheck(name=check.name, examined=check.examined, left=check.left, passed=check.passed)
            for check in part.checks
        ],
    )  # fmt: skip


def _counts(rows: Mapping[str, int]) -> list[purge.TableCount]:
    return [purge.TableCount(table=table, rows=number) for table, number in sorted(rows.items())]
