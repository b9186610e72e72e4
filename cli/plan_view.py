"""A purge plan as people see it: what is destroyed, where, and how far it has come."""

from collections.abc import Iterable

from onggi.purge.v1.purge_service_pb2 import TableCount
from onggi.retention.v1.retention_service_pb2 import Plan, PlanPart, PlanState
from rich.console import Group
from rich.table import Table

from cli.detail import detail, listing
from cli.printable import kst, person_or_service

FINISHED = frozenset({PlanState.PLAN_STATE_CERTIFIED, PlanState.PLAN_STATE_NEEDS_OPERATOR})
"""States after which nothing happens by itself."""

_DESTRUCTION_OVER = frozenset(
    {PlanState.PLAN_STATE_DESTROYED, PlanState.PLAN_STATE_VERIFIED, PlanState.PLAN_STATE_CERTIFIED}
)


def state_name(plan: Plan) -> str:
    """`DESTROYING`; the number when this version has no name for it."""
    known = plan.state in PlanState.values()
    return PlanState.Name(plan.state).removeprefix("PLAN_STATE_") if known else str(plan.state)


def done(part: PlanPart, state: PlanState.ValueType) -> int:
    """Units of the part that are destroyed or were left alone: no longer due, or held."""
    if state in _DESTRUCTION_OVER:
        return part.units
    begun = part.remaining or part.destroyed or part.skipped or part.held
    return max(part.units - part.remaining, 0) if begun else 0


def plan_table(plan: Plan) -> Group:
    """One plan with its parts."""
    head = Plan()
    head.CopyFrom(plan)
    head.ClearField("parts")
    return Group(detail(head), "", parts_table(plan))


def parts_table(plan: Plan) -> Table:
    """What each holder destroys of each category."""
    return listing(
        ("category", "holder", "through", "units", "rows", "done", "skipped", "held", "conflicts", "checks"),
        [
            (
                part.category,
                part.holder,
                through(part),
                str(part.units),
                counts(part.planned),
                str(done(part, plan.state)),
                str(part.skipped),
                str(part.held or ""),
                str(part.conflicts or ""),
                checks(part),
            )
            for part in plan.parts
        ],
    )


def through(part: PlanPart) -> str:
    """`2023-11-23`; where another date is due of what was collected under a version, that one too."""
    return "; ".join((part.through, *(f"version {one.policy_version}: {one.through}" for one in part.cutoffs)))


def plans_table(plans: Iterable[Plan]) -> Table:
    """One line a plan."""
    return listing(
        ("plan", "state", "categories", "units", "requested by", "approved by", "created"),
        [
            (
                plan.plan_id,
                state_name(plan),
                ", ".join(dict.fromkeys(part.category for part in plan.parts)),
                str(sum(part.units for part in plan.parts)),
                person_or_service(plan.requested_by),
                person_or_service(plan.approved_by),
                kst(plan.created_at),
            )
            for plan in plans
        ],
    )


def counts(tables: Iterable[TableCount]) -> str:
    """`member 3, contact 9`."""
    return ", ".join(f"{one.table} {one.rows}" for one in tables)


def checks(part: PlanPart) -> str:
    """How many checks of the verification passed, and which did not."""
    failed = [f"{check.name}: {check.left} left" for check in part.checks if not check.passed]
    passed = f"{len(part.checks) - len(failed)}/{len(part.checks)} passed" if part.checks else ""
    return "; ".join((passed, *failed)) if failed else passed
