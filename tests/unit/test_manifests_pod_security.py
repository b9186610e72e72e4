"""Pod Security "restricted" and what Onggi adds to it: each control is seen to fail on a pod that breaks it."""

import copy
from typing import Any

import pytest

from deploy.check_manifests import DIRECTORIES, render
from deploy.manifest_rules.documents import Documents, of_kind
from deploy.manifest_rules.pod_security import pods_restricted

POD_BREAKS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"hostNetwork": True}, "hostNetwork"),
    ({"hostPID": True}, "hostPID"),
    ({"hostIPC": True}, "hostIPC"),
    ({"shareProcessNamespace": True}, "shareProcessNamespace"),
    ({"automountServiceAccountToken": True}, "a token of the API"),
    ({"enableServiceLinks": True}, "services of the namespace"),
    ({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, "volume type hostPath"),
    ({"volumes": [{"name": "share", "nfs": {"server": "x", "path": "/"}}]}, "volume type nfs"),
    ({"initContainers": [{"name": "first", "image": "x"}]}, "first: privilege escalation"),
)
POD_CONTEXT_BREAKS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"runAsUser": 0}, "runs as root"),
    ({"runAsUser": 1000}, "does not run as uid 10001"),
    ({"runAsNonRoot": False}, "runs as root"),
    ({"fsGroup": 0}, "fsGroup"),
    ({"seccompProfile": {"type": "Unconfined"}}, "seccomp is unconfined"),
    ({"seccompProfile": {}}, "no seccomp profile"),
    ({"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}, "sysctl kernel.msgmax"),
    ({"appArmorProfile": {"type": "Unconfined"}}, "AppArmor"),
    ({"seLinuxOptions": {"type": "spc_t"}}, "SELinux"),
    ({"seLinuxOptions": {"user": "root"}}, "SELinux"),
    ({"windowsOptions": {"hostProcess": True}}, "hostProcess"),
)
CONTAINER_BREAKS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"ports": [{"containerPort": 1, "hostPort": 1}]}, "hostPort"),
    ({"livenessProbe": {"httpGet": {"host": "x", "port": 1}}}, "another host"),
    ({"lifecycle": {"postStart": {"tcpSocket": {"host": "x", "port": 1}}}}, "another host"),
)
CONTAINER_CONTEXT_BREAKS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"privileged": True}, "privileged"),
    ({"allowPrivilegeEscalation": True}, "privilege escalation"),
    ({"readOnlyRootFilesystem": False}, "root file system"),
    ({"capabilities": {"drop": ["NET_RAW"]}}, "not dropped"),
    ({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}, "are added"),
    ({"procMount": "Unmasked"}, "procMount"),
    ({"runAsNonRoot": False}, "may run as root"),
    ({"runAsUser": 0}, "runs as root"),
    ({"seccompProfile": {"type": "Unconfined"}}, "seccomp is unconfined"),
)


@pytest.fixture(scope="module")
def rendered() -> Documents:
    """The base, rendered once."""
    return render(DIRECTORIES[0])


def pod(documents: Documents) -> tuple[Documents, dict[str, Any]]:
    """A copy of identity's Deployment, alone, and the pod specification inside it."""
    (deployment,) = (
        copy.deepcopy(each) for each in of_kind(documents, "Deployment") if each["metadata"]["name"] == "identity"
    )
    return [deployment], deployment["spec"]["template"]["spec"]


def found(documents: Documents, words: str) -> bool:
    """Whether a finding has these words."""
    return any(words in finding for finding in pods_restricted(documents))


def test_the_pod_as_shipped_has_no_finding(rendered: Documents) -> None:
    """The starting point of the cases below is clean."""
    assert [] == pods_restricted(pod(rendered)[0])


@pytest.mark.parametrize(("fields", "words"), POD_BREAKS)
def test_pod_controls(rendered: Documents, fields: dict[str, Any], words: str) -> None:
    """A field of the pod that a control forbids is found."""
    documents, spec = pod(rendered)
    spec.update(fields)
    assert found(documents, words)


@pytest.mark.parametrize(("fields", "words"), POD_CONTEXT_BREAKS)
def test_pod_context_controls(rendered: Documents, fields: dict[str, Any], words: str) -> None:
    """A forbidden value in the pod's security context is found."""
    documents, spec = pod(rendered)
    spec["securityContext"].update(fields)
    assert found(documents, words)


@pytest.mark.parametrize(("fields", "words"), CONTAINER_BREAKS)
def test_container_controls(rendered: Documents, fields: dict[str, Any], words: str) -> None:
    """A field of the container that a control forbids is found."""
    documents, spec = pod(rendered)
    spec["containers"][0].update(fields)
    assert found(documents, words)


@pytest.mark.parametrize(("fields", "words"), CONTAINER_CONTEXT_BREAKS)
def test_container_context_controls(rendered: Documents, fields: dict[str, Any], words: str) -> None:
    """A forbidden value in the container's security context is found."""
    documents, spec = pod(rendered)
    spec["containers"][0]["securityContext"].update(fields)
    assert found(documents, words)


def test_a_missing_context_is_found(rendered: Documents) -> None:
    """Saying nothing is not enough: "restricted" asks for each value by name."""
    documents, spec = pod(rendered)
    del spec["securityContext"]
    del spec["containers"][0]["securityContext"]
    for words in ("may run as root", "no seccomp profile", "not dropped", "privilege escalation", "root file system"):
        assert found(documents, words)
