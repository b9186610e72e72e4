"""A purge plan: its states, its parts and the rules over them, without a database.

PREPARING → PLANNED → APPROVED → DESTROYING → DESTROYED → VERIFIED → CERTIFIED; from the last three steps also to
NEEDS_OPERATOR, and from there back to DESTROYING when a person has looked. A plan with nothing to destroy goes the same
way: its certificate says 0.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from chassis.cutoffs import texts
from services.retention.refusals import PlanChanged, SelfApproval, WrongState

FORECAST = "forecast"
"""The approver of a plan that destroys no more than the forecast."""


class State(StrEnum):
    """How far a plan has come; the names of the contract's PlanState."""

    PREPARING = "PREPARING"
    PLANNED = "PLANNED"
    APPROVED = "APPROVED"
    DESTROYING = "DESTROYING"
    DESTROYED = "DESTROYED"
    VERIFIED = "VERIFIED"
    CERTIFIED = "CERTIFIED"
    NEEDS_OPERATOR = "NEEDS_OPERATOR"


_STEPS: Mapping[State, frozenset[State]] = {
    State.PREPARING: frozenset({State.PLANNED, State.APPROVED}),
    State.PLANNED: frozenset({State.APPROVED}),
    State.APPROVED: frozenset({State.DESTROYING}),
    State.DESTROYING: frozenset({State.DESTROYED, State.NEEDS_OPERATOR}),
    State.DESTROYED: frozenset({State.VERIFIED, State.NEEDS_OPERATOR}),
    State.VERIFIED: frozenset({State.CERTIFIED, State.NEEDS_OPERATOR}),
    State.CERTIFIED: frozenset(),
    State.NEEDS_OPERATOR: frozenset({State.DESTROYING}),
}
RUNNING = frozenset({State.DESTROYING, State.DESTROYED, State.VERIFIED})
"""States in which a worker has something to do."""
FINISHED = frozenset({State.CERTIFIED, State.NEEDS_OPERATOR})
"""States after which nothing happens by itself."""


class Trouble(StrEnum):
    """Why a plan needs an operator: fixed texts, since anything else could hold data."""

    HOLDER = "a data holder did not do what it was asked, again and again; see its log, then execute the plan again"
    STUCK = "a data holder answers and destroys nothing; see its log, then execute the plan again"
    GROWN = "a data holder has more to destroy than was planned and approved; see its log before anything else"
    VERIFICATION = "the verification found something that must not be there; there is no certificate"
    SIGNING = "all is destroyed and verified, but the certificate could not be signed; execute the plan again"
    DEFECT = "an unexpected error; see the retention service's log, then execute the plan again"


@dataclass(frozen=True, slots=True)
class Check:
    """One look of a holder's verification."""

    name: str
    examined: int
    left: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """What one holder destroys of one category.

    ``through``: the latest event date that is due; ``cutoffs``: the dates instead of it, by the version of the policy that
    something was collected under. ``planned``, ``destroyed``: rows by table. ``conflicts``: what a law keeps beyond the
    maximum that the category is; no unit of the plan.
    """

    category: str
    holder: str
    through: date
    planned: Mapping[str, int]
    units: int
    digest: str
    cutoffs: Mapping[str, date] = field(default_factory=dict)
    destroyed: Mapping[str, int] = field(default_factory=dict)
    remaining: int = 0
    skipped: int = 0
    held: int = 0
    conflicts: int = 0
    checks: Sequence[Check] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """One purge. ``day``: the Korean day for which it was planned. ``trace_id``, ``span_id``: of its execution."""

    plan_id: str
    state: State
    day: date
    categories: Sequence[str]
    epoch: int
    digest: str
    exceeds_forecast: bool
    requested_by: str
    approved_by: str
    approved_at: datetime | None
    started_by: str
    executed_from: datetime | None
    executed_to: datetime | None
    verified_at: datetime | None
    policy_version: str
    trouble: str
    trace_id: str
    span_id: str
    created_at: datetime
    updated_at: datetime
    parts: Sequence[Part] = ()


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def check_step(now: State, then: State) -> None:
    """Raise WrongState unless a plan may go from one state to the other."""
    if then not in _STEPS[now]:
        raise WrongState


def check_approval(plan: Plan, approver: str, digest: str) -> None:
    """Raise SelfApproval, WrongState or PlanChanged unless the approver may approve what was reviewed."""
    if approver == plan.requested_by:
        raise SelfApproval
    if plan.state is not State.PLANNED:
        raise WrongState
    if digest != plan.digest:
        raise PlanChanged


def digest_of(parts: Sequence[Part]) -> str:
    """Return SHA-256, in hexadecimal, over the canonical JSON of what the parts will destroy, in whatever order."""
    fixed = [
        {
            "category": part.category, "holder": part.holder, "through": part.through.isoformat(), "units": part.units,
            "digest": part.digest, "counts": dict(part.planned), **stated(part.cutoffs),
        }
        for part in sorted(parts, key=lambda part: (part.category, part.holder))
    ]  # fmt: skip
    return hashlib.sha256(canonical(fixed)).hexdigest()


def stated(cutoffs: Mapping[str, date]) -> dict[str, dict[str, str]]:
    """Return the cut-offs that differ as one key; none where all is due by the same date."""
    return {"cutoffs": texts(cutoffs)} if cutoffs else {}


def canonical(value: object) -> bytes:
    """Return canonical JSON: UTF-8, keys sorted, no white space, no escapes that are not needed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
