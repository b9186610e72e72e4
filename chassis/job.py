"""What a service does without being called stands in the processing log too, under its own identity (LG-01, LG-02)."""

from collections.abc import Iterable
from pathlib import Path

from cryptography import x509

from chassis import trace_context
from chassis.entry import Entry

DESTRUCTION = "destruction"


def job_entry(
    actor: str, policy_version: str, rpc_method: str, action: str, resource_ids: Iterable[str], *,
    purpose: str = DESTRUCTION, parent: tuple[str, str] | None = None,
) -> Entry:  # fmt: skip
    """Return the entry of something that a service does by itself. ``actor``: its SPIFFE id.

    ``parent``: trace id and span id of what it belongs to; a new trace where there is none.
    """
    trace_id, parent_span_id = parent or (trace_context.new_trace_id(), "")
    return Entry(
        rpc_method, action, trace_id, trace_context.new_span_id(), parent_span_id, policy_version,
        actor=actor, actor_type="JOB", peer_address="local", resource_ids=list(resource_ids), purpose=purpose,
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
