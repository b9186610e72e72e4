"""What the service does without being called stands in the processing log too, under its own identity (LG-01)."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from chassis import trace_context
from chassis.entry import OUTCOME, Entry
from services.retention.plan import Plan

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
        trace_id, parent_span_id = parent
        return Entry(
            f"{SERVICE}/{rpc}", action, trace_id, trace_context.new_span_id(), parent_span_id, self.policy_version,
            actor=self.actor, actor_type="JOB", peer_address="local", resource_ids=[plan_id], purpose="destruction",
        )  # fmt: skip


def own_spiffe_id(certificate_file: Path) -> str:
    """Return the SPIFFE id in the service's own certificate (X509-SVID, section 2). Raises ValueError without one."""
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ids = [name for name in names.get_values_for_type(x509.UniformResourceIdentifier) if name.startswith("spiffe://")]
    if len(ids) != 1:
        msg = "the service's certificate must name exactly one SPIFFE id"
        raise ValueError(msg)
    return ids[0]
