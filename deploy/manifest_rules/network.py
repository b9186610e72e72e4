"""Who can open a connection to whom, worked out from the NetworkPolicies as Kubernetes defines them.

A connection needs both ends: the caller's egress and the callee's ingress. A pod that no policy of a direction selects
is open in it; policies add up and none forbids. (kubernetes.io/docs/concepts/services-networking/network-policies)
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from .documents import Document, Documents, of_kind, pod_labels, pod_spec, workloads

Port = tuple[str, int]


@dataclass(frozen=True)
class Endpoint:
    """One end of a connection: a pod, or an address outside the cluster (then it has no namespace)."""

    name: str
    namespace: str | None
    labels: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    address: str | None = None


def endpoints(documents: Documents) -> list[Endpoint]:
    """Return one pod for each Deployment and Job."""
    return [
        Endpoint(
            name=workload["metadata"]["name"],
            namespace=workload["metadata"]["namespace"],
            labels=pod_labels(workload),
            ports={
                port["name"]: port["containerPort"] for port in pod_spec(workload)["containers"][0].get("ports", [])
            },
        )
        for workload in workloads(documents)
    ]


def reachable(documents: Documents, source: Endpoint, target: Endpoint, ports: Iterable[Port]) -> set[Port]:
    """Return those of `ports` (protocol, number) at which `source` can open a connection to `target`."""
    policies = of_kind(documents, "NetworkPolicy")
    return {
        port
        for port in ports
        if _permits(policies, "Egress", source, target, port) and _permits(policies, "Ingress", source, target, port)
    }


def _permits(policies: Documents, direction: str, source: Endpoint, target: Endpoint, port: Port) -> bool:
    pod, peer, peers = (source, target, "to") if direction == "Egress" else (target, source, "from")
    applying = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in _types(policy["spec"])
        and selects(policy["spec"].get("podSelector", {}), pod.labels)
    ]
    rules = [rule for spec in applying for rule in spec.get(direction.lower(), [])]
    return not applying or any(
        _any_peer(rule.get(peers, []), pod.namespace, peer) and _any_port(rule.get("ports", []), target, port)
        for rule in rules
    )


def _types(spec: Document) -> list[str]:
    types: list[str] = spec.get("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return types


def _any_peer(peers: list[Document], namespace: str | None, end: Endpoint) -> bool:
    return not peers or any(_is_peer(peer, namespace, end) for peer in peers)


def _is_peer(peer: Document, namespace: str | None, end: Endpoint) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return end.address is not None and _inside(end.address, block["cidr"], block.get("except", []))
    if end.namespace is None or not selects(peer.get("podSelector", {}), end.labels):
        return False
    if "namespaceSelector" in peer:
        return selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": end.namespace})
    return end.namespace == namespace


def _inside(address: str, block: str, exceptions: list[str]) -> bool:
    return ip_address(address) in ip_network(block) and not any(
        ip_address(address) in ip_network(e) for e in exceptions
    )


def _any_port(rules: list[Document], listener: Endpoint, port: Port) -> bool:
    protocol, number = port
    for rule in rules:
        if rule.get("protocol", "TCP") != protocol:
            continue
        if "port" not in rule:
            return True
        first: int = listener.ports.get(rule["port"], -1) if isinstance(rule["port"], str) else rule["port"]
        if first <= number <= rule.get("endPort", first):
            return True
    return not rules


def selects(selector: Document, labels: dict[str, str]) -> bool:
    """Say whether a label selector picks something with these labels; an empty selector picks all."""
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    for term in selector.get("matchExpressions", []):
        key, operator, values = term["key"], term["operator"], term.get("values", [])
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds[operator]:
            return False
    return True
