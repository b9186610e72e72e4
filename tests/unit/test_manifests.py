"""The manifests fit each other, the image and the cluster; each rule is shown to fail on a manifest that breaks it."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chassis.settings import SpanSettings
from deploy.check_manifests import DIRECTORIES, render
from deploy.manifest_rules import availability, pod_security, sidecar, wiring
from deploy.manifest_rules.documents import Documents, containers, environment, of_kind, pod_spec, workloads

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "archive": ["services.identity", "archive"],
    "identity": ["services.identity"],
    "payment-vault": ["services.payment_vault"],
    "retention": ["services.retention"],
}
"""Service -> what its image runs."""
BASE, DEV = DIRECTORIES


@pytest.fixture(scope="module")
def rendered() -> dict[str, Documents]:
    """Every directory, rendered once."""
    return {directory: render(directory) for directory in DIRECTORIES}


def documented_secrets() -> dict[str, set[str]]:
    """The table of Secrets in the README, with `<service>` written out."""
    text = (ROOT / "deploy/k8s/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| ((?:`[^`]+` ?)+)\|", text, re.MULTILINE)
    names = {(name.replace("<service>", service), keys) for name, keys in rows for service in COMMANDS}
    return {name: set(re.findall(r"`([^`]+)`", keys)) for name, keys in names}


def secrets_documented(documents: Documents) -> list[str]:
    """The rule, held against the README."""
    return wiring.secrets_documented(documents, documented_secrets())


def spans_fit(documents: Documents) -> list[str]:
    """The rule, held against what the export of spans reads."""
    return sidecar.spans_fit(documents, SpanSettings)


Rule = Callable[[Documents], list[str]]
RULES: tuple[Rule, ...] = (
    wiring.selectors_match,
    wiring.spreads_match,
    wiring.ports_exist,
    wiring.holders_exist,
    wiring.references_exist,
    wiring.files_mounted,
    secrets_documented,
    availability.budgets_allow_drains,
    availability.updates_lose_nothing,
    availability.stop_fits,
    availability.resources_bounded,
    availability.migrations_fit,
    spans_fit,
    pod_security.namespaces_enforce,
    pod_security.pods_restricted,
)


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_manifests_keep_every_rule(rendered: dict[str, Documents], directory: str, rule: Rule) -> None:
    """No rule has a finding on what is shipped."""
    assert [] == rule(rendered[directory])


def test_the_base_runs_digests_and_dev_what_was_built(rendered: dict[str, Documents]) -> None:
    """The base pins every image by digest; the dev overlay runs the local tag and no other."""
    assert [] == availability.images_pinned(rendered[BASE])
    images = {container["image"] for each in workloads(rendered[DEV]) for container in containers(each)}
    assert {"onggi:dev"} == images


@pytest.mark.parametrize(("directory", "replicas"), [(BASE, 2), (DEV, 1)])
def test_replicas(rendered: dict[str, Documents], directory: str, replicas: int) -> None:
    """Two pods of each service in the base, one in dev."""
    found = {each["metadata"]["name"]: each["spec"]["replicas"] for each in of_kind(rendered[directory], "Deployment")}
    assert dict.fromkeys(COMMANDS, replicas) == found


def test_the_container_agrees_with_the_manifests(rendered: dict[str, Documents]) -> None:
    """The image runs as the uid that the pods demand, starts without a shell, and has the policy where settings say."""
    recipe = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert "USER 10001:10001" in recipe
    assert 'ENTRYPOINT ["python", "-m"]' in recipe
    assert "COPY --from=build /app/policy policy" in recipe
    assert "WORKDIR /app" in recipe
    for deployment in of_kind(rendered[BASE], "Deployment"):
        assert "/app/policy" == environment(rendered[BASE], deployment)["ONGGI_POLICY_DIRECTORY"]
        assert COMMANDS[deployment["metadata"]["name"]] == pod_spec(deployment)["containers"][0]["args"]


def document(documents: Documents, kind: str, name: str) -> dict[str, Any]:
    """The one document of this kind and name (a generated ConfigMap by the name before its hash)."""
    (found,) = (
        each
        for each in of_kind(documents, kind)
        if each["metadata"]["name"] == name or (kind == "ConfigMap" and each["metadata"]["name"].startswith(f"{name}-"))
    )
    return found


GONE = object()
ALIASES = {
    "pod": "spec.template.spec",
    "server": "spec.template.spec.containers.0",
    "spans": "spec.template.spec.initContainers.0",
}
IDENTITY, BUDGET, MIGRATION = "Deployment/identity", "PodDisruptionBudget/identity", "Job/migrate-identity"


def change(documents: Documents, target: str, path: str, value: Any) -> Documents:
    """A copy of the documents with one place set to `value`, or taken away when it is GONE.

    `target` is `Kind/name`; `path` is dotted, and may start with an alias.
    """
    changed = copy.deepcopy(documents)
    place: Any = document(changed, *target.split("/"))
    first, _, rest = path.partition(".")
    *steps, last = f"{ALIASES.get(first, first)}.{rest}".rstrip(".").split(".")
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    if value is GONE:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return changed


BREAKS: tuple[tuple[Rule, str, str, Any, str], ...] = (
    (wiring.selectors_match, "Service/identity", "spec.selector", {"app.kubernetes.io/name": "identity"}, "migrate"),
    (wiring.selectors_match, "Service/identity", "spec.selector", {"app.kubernetes.io/name": "other"}, "no pod"),
    (wiring.selectors_match, BUDGET, "spec.selector.matchLabels", {}, "selects"),
    (wiring.spreads_match, IDENTITY, "pod.topologySpreadConstraints.0.matchLabelKeys", [], "spreads"),
    (wiring.spreads_match, IDENTITY, "pod.topologySpreadConstraints.0.nodeTaintsPolicy", GONE, "drained nodes"),
    (wiring.spreads_match, IDENTITY, "pod.topologySpreadConstraints", [], "no spread"),
    (wiring.ports_exist, "Service/identity", "spec.ports.0.targetPort", "http", "targets the port http"),
    (wiring.ports_exist, IDENTITY, "server.livenessProbe.grpc.port", 8443, "livenessProbe asks the port 8443"),
    (wiring.ports_exist, IDENTITY, "server.livenessProbe.grpc.service", "", "not 'liveness'"),
    (wiring.ports_exist, IDENTITY, "server.readinessProbe", GONE, "readinessProbe"),
    (wiring.ports_exist, "ConfigMap/identity", "data.ONGGI_SERVER__HEALTH_ADDRESS", "0.0.0.0:9000", "health port"),
    (wiring.holders_exist, "Service/payment-vault", "metadata.name", "vault", "HOLDERS__PAYMENT_VAULT"),
    (wiring.holders_exist, "Service/archive", "metadata.name", "jars", "HOLDERS__ARCHIVE"),
    (wiring.references_exist, "ConfigMap/identity", "metadata.name", "identity", "ConfigMap identity-"),
    (wiring.references_exist, "ServiceAccount/migration", "metadata.name", "other", "runs as migration"),
    (wiring.references_exist, IDENTITY, "pod.volumes.0", {"name": "x", "emptyDir": {}}, "no volume"),
    (wiring.references_exist, IDENTITY, "pod.volumes.0", {"name": "x", "emptyDir": {}}, "does not mount"),
    (secrets_documented, IDENTITY, "pod.volumes.2.secret.secretName", "tls", "Secret tls"),
    (secrets_documented, IDENTITY, "pod.volumes.2.secret.items", GONE, "['*']"),
    (wiring.files_mounted, "ConfigMap/identity", "data.ONGGI_TLS__KEY_FILE", "/etc/key", "/etc/key"),
    (wiring.files_mounted, "ConfigMap/identity", "data.ONGGI_ARCHIVE__PASSWORD_FILE", "/var/other", "/var/other"),
    (wiring.files_mounted, MIGRATION, "server.env", [], "service-password"),
    (spans_fit, IDENTITY, "spans.name", "other", "0 containers"),
    (spans_fit, IDENTITY, "spans.restartPolicy", GONE, "waits"),
    (spans_fit, IDENTITY, "spans.image", "onggi:other", "another image"),
    (spans_fit, IDENTITY, "spans.envFrom", [], "another envFrom"),
    (spans_fit, "Deployment/archive", "spans.args", ["services.identity", "spans"], "sends spans by"),
    (spans_fit, IDENTITY, "spans.readinessProbe", {"grpc": {"port": 8081}}, "readinessProbe"),
    (spans_fit, IDENTITY, "spans.volumeMounts.0.name", "database", "service-password for its spans"),
    (spans_fit, IDENTITY, "spans.volumeMounts.1", {"name": "tmp", "mountPath": "/t"}, "has no /var/run/onggi/tls"),
    (availability.budgets_allow_drains, BUDGET, "spec.minAvailable", 2, "never"),
    (availability.budgets_allow_drains, BUDGET, "spec.minAvailable", "51%", "never"),
    (availability.budgets_allow_drains, BUDGET, "spec.maxUnavailable", 0, "never"),
    (availability.budgets_allow_drains, BUDGET, "kind", "Gone", "0 budgets"),
    (availability.budgets_allow_drains, BUDGET, "spec.unhealthyPodEvictionPolicy", GONE, "not ready"),
    (availability.budgets_allow_drains, IDENTITY, "spec.replicas", 1, "never"),
    (availability.updates_lose_nothing, IDENTITY, "spec.strategy", {"type": "Recreate"}, "may stop"),
    (availability.stop_fits, IDENTITY, "pod.terminationGracePeriodSeconds", 30, "30 s"),
    (availability.stop_fits, "ConfigMap/identity", "data.ONGGI_SERVER__GRACE_SECONDS", "60", "70 s"),
    (availability.stop_fits, IDENTITY, "server.lifecycle", GONE, "does not pause"),
    (availability.resources_bounded, MIGRATION, "server.resources.limits.memory", GONE, "memory limits"),
    (availability.images_pinned, IDENTITY, "server.image", "onggi:latest", "no digest"),
    (availability.migrations_fit, IDENTITY, "server.image", "onggi:other", "its server onggi:other"),
    (availability.migrations_fit, MIGRATION, "server.args", ["services.retention", "migrate"], "its server"),
    (availability.migrations_fit, "Job/migrate-archive", "server.args", ["services.identity", "migrate"], "its server"),
    (availability.migrations_fit, MIGRATION, "kind", "Gone", "the migrations []"),
    (pod_security.namespaces_enforce, "Namespace/onggi", "metadata.labels", {}, "enforce"),
)


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: f"{case[0].__name__}-{case[1]}-{case[2]}")
def test_a_broken_manifest_is_found(rendered: dict[str, Documents], case: tuple[Rule, str, str, Any, str]) -> None:
    """Each rule names the fault when one place of the good manifests is broken."""
    rule, target, path, value, words = case
    assert any(words in finding for finding in rule(change(rendered[BASE], target, path, value)))


def test_every_rule_has_been_seen_to_fail() -> None:
    """No rule stands here that no broken manifest has tried; the pod's controls have a file of their own."""
    assert {*RULES, availability.images_pinned} - {case[0] for case in BREAKS} == {pod_security.pods_restricted}
