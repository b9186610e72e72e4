"""The commands that make, show and approve a purge plan."""

from typing import Annotated

import typer
from onggi.retention.v1.retention_service_pb2 import (
    ApprovePlanRequest,
    GetPlanRequest,
    ListPlansRequest,
    PlanPurgeRequest,
)
from onggi.retention.v1.retention_service_pb2_grpc import RetentionServiceStub

from cli import access, answer, asking
from cli.failures import UsageError
from cli.plan_view import plan_table, plans_table
from cli.session import Session

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id.", show_default=False)]
Categories = Annotated[
    list[str] | None,
    typer.Option("--category", metavar="R-12", help="Only this category; may be repeated.", show_default=False),
]
Digest = Annotated[
    str | None,
    typer.Option("--digest", help="Approve only the plan with this digest, reviewed before.", show_default=False),
]


def plan(
    session: Session,
    *,
    category: Categories = None,
    purpose: access.Destruction = "destruction",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Find what is due today and fix it as a plan. Nothing is destroyed yet."""
    request = PlanPurgeRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        categories=category or (),
    )
    retention = session.remote("retention")
    response = retention.call(RetentionServiceStub(retention.channel).PlanPurge, request)
    answer.one(session, response, plan_table(response.plan))


def list_plans(
    session: Session,
    *,
    limit: access.Limit = 20,
    purpose: access.Destruction = "destruction",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the plans, newest first."""
    retention = session.remote("retention")
    answer.pages(
        retention,
        RetentionServiceStub(retention.channel).ListPlans,
        ListPlansRequest(access=access.context(purpose, reason, ticket)),
        "plans",
        plans_table,
        limit=limit,
        page_size=100,
    )


def show(
    session: Session,
    *,
    plan_id: PlanId,
    purpose: access.Destruction = "destruction",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Show what a plan destroys and how far it has come."""
    request = GetPlanRequest(access=access.context(purpose, reason, ticket), plan_id=plan_id)
    retention = session.remote("retention")
    response = retention.call(RetentionServiceStub(retention.channel).GetPlan, request)
    answer.one(session, response, plan_table(response.plan))


def approve(
    session: Session,
    *,
    plan_id: PlanId,
    reason: access.RequiredReason,
    digest: Digest = None,
    yes: access.Yes = False,
    purpose: access.Destruction = "destruction",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Approve a plan that somebody else has asked for, bound to the digest of what is shown here (or --digest)."""
    if session.options.json and not (yes or digest):
        raise UsageError("--json asks nothing: use --yes, or --digest of the plan that was reviewed")
    why = access.context(purpose, reason, ticket)
    retention = session.remote("retention")
    stub = RetentionServiceStub(retention.channel)
    reviewed = retention.call(stub.GetPlan, GetPlanRequest(access=why, plan_id=plan_id)).plan
    if not session.options.json:
        session.out.print(plan_table(reviewed))
    if not (yes or digest):
        units = sum(part.units for part in reviewed.parts)
        asking.confirm(f"Approve the destruction of these {units} units? It cannot be undone.")
    request = ApprovePlanRequest(
        access=why,
        request_id=access.request_id(request_id),
        plan_id=plan_id,
        digest=digest or reviewed.digest,
    )
    response = retention.call(stub.ApprovePlan, request)
    answer.one(session, response, f"approved: {response.plan.plan_id}")
