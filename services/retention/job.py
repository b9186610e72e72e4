"""What the service does without being called stands in the processing log too, under its own identity (LG-01)."""

from dataclasses import dataclass

from chassis import trace_context
from chassis.entry import OUTCOME, Entry
from chassis.job import job_entry, own_spiffe_id
from services.retention.plan import Plan

__all__ = ["Job", "own_spiffe_id"]

SERVICE = "onggi.retention.v1.RetentionService"


@dataclass(frozen=True, slots=True)
class Job:
    """Who acts when nobody calls: the service's SPIFFE id, under the policy of this version."""

    actor: str
    policy_version: str

    def planning(self, plan_id: str) -> Entry:
        """Return the entry of a plan that the schedule makes: what PlanPurge does for a caller, in a new trace."""
        return self._entry("PlanPurge", "PLAN", plan_id, (trace_context.new_trace_id(), ""))

    def outcome(self, plan: Plan, action: str) -> Entry:
        """Return the entry of what has come of ExecutePlan, under the trace of the call that has started the plan."""
        entry = self._entry("ExecutePlan", action, plan.plan_id, (plan.trace_id, plan.span_id))
        entry.phase = OUTCOME
        return entry

    def _entry(self, rpc: str, action: str, plan_id: str, parent: tuple[str, str]) -> Entry:
        return job_entry(self.actor, self.policy_version, f"{SERVICE}/{rpc}", action, [plan_id], parent=parent)
