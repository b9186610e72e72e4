"""The Pod Security Standard "restricted", control by control, and what Onggi asks beyond it.

The controls and the values they allow are those of kubernetes.io/docs/concepts/security/pod-security-standards.
A namespace label makes the cluster refuse such pods; this finds them before, and in a cluster without admission.
"""

from collections.abc import Iterator
from typing import Any

from .documents import Document, Documents, containers, of_kind, pod_spec, title, workloads

UID = 10001  # as the Containerfile has it
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SECCOMP = {"RuntimeDefault", "Localhost"}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def namespaces_enforce(documents: Documents) -> list[str]:
    """The namespace has the cluster enforce, audit and warn at "restricted"."""
    return [
        f"{title(namespace)} does not {mode} restricted"
        for namespace in of_kind(documents, "Namespace")
        for mode in ("enforce", "audit", "warn")
        if namespace["metadata"].get("labels", {}).get(f"pod-security.kubernetes.io/{mode}") != "restricted"
    ]


def pods_restricted(documents: Documents) -> list[str]:
    """No pod breaks a control of "restricted", nor what Onggi adds: uid 10001, read-only root, no token of the API."""
    found = []
    for workload in workloads(documents):
        spec = pod_spec(workload)
        found += [f"{title(workload)}: {fault}" for fault in _pod_faults(spec)]
        for container in containers(workload):
            name = container["name"]
            found += [f"{title(workload)}: {name}: {fault}" for fault in _container_faults(container, spec)]
    return found


def _pod_faults(spec: Document) -> Iterator[str]:
    for shared in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if spec.get(shared):
            yield shared
    for volume in spec.get("volumes", []):
        for kind in volume.keys() - {"name"} - VOLUMES:
            yield f"volume type {kind}"
    security = spec.get("securityContext", {})
    for sysctl in security.get("sysctls", []):
        if sysctl["name"] not in SAFE_SYSCTLS:
            yield f"sysctl {sysctl['name']}"
    yield from _context_faults(security)
    if security.get("fsGroup") != UID:
        yield "fsGroup is not 10001, so the mounted files cannot be read"
    if spec.get("automountServiceAccountToken") is not False:
        yield "a token of the API is mounted"
    if spec.get("enableServiceLinks") is not False:
        yield "services of the namespace come into the environment"


def _container_faults(container: Document, spec: Document) -> Iterator[str]:
    security, pod = container.get("securityContext", {}), spec.get("securityContext", {})
    yield from _context_faults(security)
    if security.get("privileged"):
        yield "privileged"
    if security.get("allowPrivilegeEscalation") is not False:
        yield "privilege escalation is allowed"
    if security.get("readOnlyRootFilesystem") is not True:
        yield "the root file system can be written"
    if security.get("procMount", "Default") != "Default":
        yield "procMount"
    capabilities = security.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []):
        yield "capabilities are not dropped"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "capabilities are added"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "hostPort"
    if security.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "may run as root"
    if security.get("runAsUser", pod.get("runAsUser")) != UID:
        yield "does not run as uid 10001"
    if security.get("seccompProfile", pod.get("seccompProfile", {})).get("type") not in SECCOMP:
        yield "no seccomp profile"
    for handler in _handlers(container):
        if handler.get("httpGet", {}).get("host") or handler.get("tcpSocket", {}).get("host"):
            yield "a probe or hook calls another host"


def _context_faults(security: Document) -> Iterator[str]:
    """Controls that hold for the pod's and for each container's security context alike."""
    if security.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess"
    if security.get("appArmorProfile", {}).get("type", "RuntimeDefault") == "Unconfined":
        yield "AppArmor is unconfined"
    if security.get("seccompProfile", {}).get("type", "RuntimeDefault") not in SECCOMP:
        yield "seccomp is unconfined"
    selinux = security.get("seLinuxOptions", {})
    if selinux.get("type", "") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "SELinux options"
    if security.get("runAsNonRoot") is False or security.get("runAsUser") == 0:
        yield "runs as root"


def _handlers(container: Document) -> list[dict[str, Any]]:
    probes = [container.get(name, {}) for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    hooks = container.get("lifecycle", {})
    return [*probes, hooks.get("preStop", {}), hooks.get("postStart", {})]
