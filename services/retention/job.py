"""What the service does without being called stands in the processing log too, under its own identity (LG-01)."""

from collections.abc import Callable
from dataclasses import dataclass

from chassis import trace_context
from chassis.entry import OUTCOME, Entry
from chassis.job import job_entry, own_spiffe_id
from services.retention.hold import Hold, HoldState
from services.retention.plan import Plan

__all__ = ["Job", "own_spiffe_id"]

SERVICE = "onggi.retention.v1.RetentionService"
HOLD_SERVICE = "onggi.retention.v1.HoldService"


@dataclass(frozen=True, slots=True)
class Job:
    """Who acts when nobody calls: the service's SPIFFE id. ``policy_version``: tells the version that is in force."""

    actor: str
    policy_version: Callable[[], str]

    def planning(self, plan_id: str) -> Entry:
        """Return the entry of a plan that the schedule makes: what PlanPurge does for a caller, in a new trace."""
        return self._entry("PlanPurge", "PLAN", plan_id, (trace_context.new_trace_id(), ""))

    def outcome(self, plan: Plan, action: str) -> Entry:
        """Return the entry of what has come of ExecutePlan, under the trace of the call that has started the plan."""
        entry = self._entry("ExecutePlan", action, plan.plan_id, (plan.trace_id, plan.span_id))
        entry.phase = OUTCOME
        return entry

    def held(self, hold: Hold, purpose: str) -> Entry:
        """Return the entry of every holder's having been told of a hold, or of its release, under the call's trace."""
        releasing = hold.state is HoldState.RELEASING
        rpc, action = ("ReleaseHold", "RELEASE") if releasing else ("PlaceHold", "HOLD")
        entry = job_entry(
            self.actor, self.policy_version(), f"{HOLD_SERVICE}/{rpc}", action, [hold.hold_id], purpose=purpose,
            parent=(hold.trace_id, hold.span_id),
        )  # fmt: skip
        entry.phase = OUTCOME
        entry.about([hold.member_id] if hold.member_id else [])
        return entry

    def _entry(self, rpc: str, action: str, plan_id: str, parent: tuple[str, str]) -> Entry:
        return job_entry(self.actor, self.policy_version(), f"{SERVICE}/{rpc}", action, [plan_id], parent=parent)
