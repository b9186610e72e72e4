"""Who exists on a laptop: the services and the callers, each with the SPIFFE id that its certificate carries.

In a cluster the namespace and the service account decide the id (`spiffe://onggi/ns/<ns>/sa/<name>`); here this does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TRUST_DOMAIN: Final = "onggi"
SERVICE_NAMESPACE: Final = "onggi"
SERVICES: Final = ("archive", "identity", "payment_vault", "retention")
"""The services in the order of their migrations: the archive before identity, which deposits there, and retention last,
because it plans what the others hold."""

OTLP_RECEIVER: Final = "otlp-receiver"

CALLERS: Final[Mapping[str, str]] = {
    "portal": "apps",
    "billing": "apps",
    "marketing": "apps",
    "stranger": "apps",  # known to the certificate authority, named in no access rule
    "support": "staff",
    "retention-operator": "staff",
    "privacy-officer": "staff",
    "security-reviewer": "staff",
    "tax-officer": "staff",
    "key-custodian": "staff",
}
"""Caller name -> namespace."""


@dataclass(frozen=True)
class Credentials:
    """Paths of PEM files: a certificate, its key (0600) and the authority that both sides trust."""

    ca: Path
    certificate: Path
    key: Path


def account(service: str) -> str:
    """The service account of a service: Kubernetes names have no underscore."""
    return service.replace("_", "-")


def spiffe_id(namespace: str, name: str) -> str:
    """The URI SAN of a workload."""
    return f"spiffe://{TRUST_DOMAIN}/ns/{namespace}/sa/{name}"


def server_name(service_account: str) -> str:
    """The DNS SAN of a server, which clients ask for instead of the address they dial."""
    return f"{service_account}.onggi.internal"
